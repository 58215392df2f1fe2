use actix_web::http::StatusCode;

/// One kind of failure a client can meet: a line of `docs/errors.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// Stable, dotted name.
    pub code: &'static str,
    /// The HTTP status of the response.
    pub status: StatusCode,
    /// Short and the same for every occurrence.
    pub title: &'static str,
    /// What the client can do about it.
    pub remedy: &'static str,
}

/// Declares codes that this crate raises itself, as constants and as one table.
macro_rules! codes {
    ($(#[$meta:meta])* $table:ident { $($name:ident = $status:ident $code:literal $title:literal $remedy:literal;)+ }) => {
        $(
            #[doc = $title]
            pub(crate) const $name: $crate::problem::Code = $crate::problem::Code {
                code: $code,
                status: actix_web::http::StatusCode::$status,
                title: $title,
                remedy: $remedy,
            };
        )+
        $(#[$meta])*
        pub(crate) const $table: &[$crate::problem::Code] = &[$($name),+];
    };
}

/// Lists codes that the layers below raise, as one table.
macro_rules! refusals {
    ($(#[$meta:meta])* $table:ident { $($status:ident $code:literal $title:literal $remedy:literal;)* }) => {
        $(#[$meta])*
        pub(crate) const $table: &[$crate::problem::Code] = &[$(
            $crate::problem::Code {
                code: $code,
                status: actix_web::http::StatusCode::$status,
                title: $title,
                remedy: $remedy,
            }
        ),*];
    };
}

pub(crate) use {codes, refusals};
