//! Logs of which a test changes one thing, and leaves the rest to another log.

/// What a log whose appends are a test's own leaves to the log beneath it, in its field of that name: all of reading, or the methods
/// that are listed.
///
/// It stands within the `impl` of `EventStore`, whose attribute has run by then, so that each method is written out as the
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

/// What is told in time.
pub type Told<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What is read in time, where it can be read.
pub type Read<'a, T> = Told<'a, Result<T, devskyy_application::error::PortError>>;
