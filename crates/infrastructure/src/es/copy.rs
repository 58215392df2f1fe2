//! Decoder of PostgreSQL's binary `COPY` format, row by row.

use devskyy_application::error::PortError;
use uuid::Uuid;

/// The signature; flags and the length of the header extension follow it.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// The fields of one row, read in order.
pub(super) struct Fields<'r>(&'r [u8]);

impl<'r> Fields<'r> {
    /// Starts a row of that many columns; `None` for the end marker. The header comes with the first row.
    ///
    /// # Errors
    /// [`PortError`] when it is not such a row.
    pub(super) fn of(bytes: &'r [u8], columns: i16) -> Result<Option<Self>, PortError> {
        let mut fields = Self(bytes);
        if let Some(head) = bytes.strip_prefix(SIGNATURE) {
            fields.0 = head;
            let _flags: [u8; 4] = fields.array()?;
            fields.value()?;
        }
        match i16::from_be_bytes(fields.array()?) {
            -1 => Ok(None),
            count if count == columns => Ok(Some(fields)),
            _ => Err(damaged()),
        }
    }

    /// A `bigint`.
    pub(super) fn number(&mut self) -> Result<i64, PortError> {
        self.fixed().map(i64::from_be_bytes)
    }

    /// A `smallint`.
    pub(super) fn small(&mut self) -> Result<i16, PortError> {
        self.fixed().map(i16::from_be_bytes)
    }

    /// A `uuid`.
    pub(super) fn id(&mut self) -> Result<Uuid, PortError> {
        self.fixed().map(Uuid::from_bytes)
    }

    /// A `text`.
    pub(super) fn text(&mut self) -> Result<&'r str, PortError> {
        std::str::from_utf8(self.value()?).map_err(|_| damaged())
    }

    /// Any value's bytes. Nulls do not occur in the log.
    pub(super) fn value(&mut self) -> Result<&'r [u8], PortError> {
        let length = u32::from_be_bytes(self.array()?);
        let length = usize::try_from(length).map_err(|_| damaged())?;
        let (value, rest) = self.0.split_at_checked(length).ok_or_else(damaged)?;
        self.0 = rest;
        Ok(value)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], PortError> {
        self.value()?.try_into().map_err(|_| damaged())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], PortError> {
        let (array, rest) = self.0.split_first_chunk().ok_or_else(damaged)?;
        self.0 = rest;
        Ok(*array)
    }
}

fn damaged() -> PortError {
    PortError::bug("event store", "replaying events", "the server does not answer in the format it was asked for")
}

#[cfg(test)]
mod tests {
    use super::{Fields, SIGNATURE};

    fn first_row() -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([0; 8]);
        bytes.extend(2i16.to_be_bytes());
        bytes.extend(8i32.to_be_bytes());
        bytes.extend(7i64.to_be_bytes());
        bytes.extend(4i32.to_be_bytes());
        bytes.extend(b"lamp");
        bytes
    }

    #[test]
    fn the_first_row_comes_after_the_head() {
        let bytes = first_row();
        let mut fields = Fields::of(&bytes, 2).unwrap().unwrap();
        assert_eq!((fields.number().unwrap(), fields.text().unwrap()), (7, "lamp"));
    }

    #[test]
    fn a_mark_ends_the_rows() {
        assert!(Fields::of(&(-1i16).to_be_bytes(), 2).unwrap().is_none());
    }

    #[test]
    fn a_row_that_is_cut_off_is_refused_wherever_it_is_cut() {
        let bytes = first_row();
        let read = |cut: usize| {
            let mut fields = Fields::of(&bytes[..cut], 2)?.unwrap();
            fields.number().and_then(|_| fields.text().map(str::to_owned))
        };
        assert!((0..bytes.len()).all(|cut| read(cut).is_err()));
    }
}
