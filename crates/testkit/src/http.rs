//! HTTP requests, as servers of tests read them.

use tokio::{io::AsyncReadExt as _, net::TcpStream};

/// A request as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The request line and the headers, without the empty line after them.
    pub head: String,
    /// Its body.
    pub body: Vec<u8>,
}

impl Request {
    /// Its headers in order, names as they were sent.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.head.lines().skip(1).filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim()))
    }

    /// The value of a header, by case-insensitive name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().find_map(|(found, value)| found.eq_ignore_ascii_case(name).then_some(value))
    }
}

/// Reads the next request on a connection; `buffer` keeps what is received beyond it. `None` once the client has closed
/// the connection.
///
/// The length of a body is its `Content-Length`; chunked bodies are not supported.
pub async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Request> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        receive(stream, buffer).await?;
    };
    let mut request = Request { head: String::from_utf8_lossy(&buffer[..end]).into_owned(), body: Vec::new() };
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0_usize);
    let full = end + 4 + length;
    while buffer.len() < full {
        receive(stream, buffer).await?;
    }
    request.body = buffer[end + 4..full].to_vec();
    buffer.drain(..full);
    Some(request)
}

async fn receive(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<usize> {
    stream.read_buf(buffer).await.ok().filter(|received| *received > 0)
}
