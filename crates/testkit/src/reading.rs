//! Delegation of a test's log to another log, except for what the test changes.

/// Delegates methods of a test's log to the log in its field of that name: all reads, or the listed methods.
///
/// It is used within the `impl` of `EventStore`, after its attribute has run, so each method is expanded like the
/// attribute would.
#[macro_export]
macro_rules! reads_through {
    ($log:tt) => {
        $crate::reads_through!($log: read_stream, read_all, head, beyond);
    };
    ($log:tt: $($method:ident),+) => {
        $($crate::reads_through!(@$method $log);)+
    };
    (@read_stream $log:tt) => {
        fn read_stream<'log, 'read>(
            &'log self,
            stream: ::devskyy_application::es::StreamId,
            after: ::devskyy_domain::kernel::Version,
            max: usize,
        ) -> $crate::reading::Read<'read, ::std::vec::Vec<::devskyy_application::es::RecordedEvent>>
        where
            'log: 'read,
            Self: 'read,
        {
            self.$log.read_stream(stream, after, max)
        }
    };
    (@read_all $log:tt) => {
        fn read_all<'log, 'filter, 'read>(
            &'log self,
            after: ::devskyy_application::es::Position,
            max: usize,
            filter: &'filter ::devskyy_application::es::EventFilter,
        ) -> $crate::reading::Read<'read, ::devskyy_application::es::Page>
        where
            'log: 'read,
            'filter: 'read,
            Self: 'read,
        {
            self.$log.read_all(after, max, filter)
        }
    };
    (@head $log:tt) => {
        fn head<'log, 'read>(&'log self) -> $crate::reading::Read<'read, ::devskyy_application::es::Position>
        where
            'log: 'read,
            Self: 'read,
        {
            self.$log.head()
        }
    };
    (@beyond $log:tt) => {
        fn beyond<'log, 'read>(
            &'log self,
            position: ::devskyy_application::es::Position,
            rewinds: u64,
        ) -> $crate::reading::Told<'read, ::devskyy_application::es::Position>
        where
            'log: 'read,
            Self: 'read,
        {
            self.$log.beyond(position, rewinds)
        }
    };
}

/// The future of a value.
pub type Told<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The future of a read.
pub type Read<'a, T> = Told<'a, Result<T, devskyy_application::error::PortError>>;
