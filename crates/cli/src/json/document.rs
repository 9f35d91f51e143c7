//! Writing a document piece by piece: fields one a line, and listings one element a line, so that neither the program
//! nor a line-wise reader has to hold all of it.

use std::io::{self, Write};

use serde::Serialize;

/// A document being written.
pub struct Document<'w> {
    out: &'w mut (dyn Write + Send),
    /// Elements of the open listing so far; none when no listing is open.
    listing: Option<u64>,
}

impl<'w> Document<'w> {
    /// Begins a document of a kind of [`super::schema`].
    pub fn begin(out: &'w mut (dyn Write + Send), schema: &str) -> io::Result<Self> {
        out.write_all(b"{\n  \"schema\": ")?;
        serde_json::to_writer(&mut *out, schema)?;
        Ok(Self { out, listing: None })
    }

    fn name(&mut self, name: &str) -> io::Result<()> {
        debug_assert!(self.listing.is_none(), "{name} inside a listing");
        write!(self.out, ",\n  \"{name}\": ")
    }

    /// Writes a field.
    pub fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> io::Result<()> {
        self.name(name)?;
        Ok(serde_json::to_writer(&mut *self.out, value)?)
    }

    /// Begins a field that is a list.
    pub fn begin_list(&mut self, name: &str) -> io::Result<()> {
        self.name(name)?;
        self.listing = Some(0);
        self.out.write_all(b"[")
    }

    /// Writes an element of the list begun last.
    pub fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> io::Result<()> {
        let first = self.listing == Some(0);
        self.listing = self.listing.map(|n| n + 1);
        self.out
            .write_all(if first { b"\n    " } else { b",\n    " })?;
        Ok(serde_json::to_writer(&mut *self.out, value)?)
    }

    /// Ends the list.
    pub fn end_list(&mut self) -> io::Result<()> {
        match self.listing.take() {
            None | Some(0) => self.out.write_all(b"]"),
            Some(_) => self.out.write_all(b"\n  ]"),
        }
    }

    /// A whole list.
    pub fn list<T: Serialize>(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = T>,
    ) -> io::Result<()> {
        self.begin_list(name)?;
        for value in values {
            self.element(&value)?;
        }
        self.end_list()
    }

    /// Ends the document.
    pub fn end(self) -> io::Result<()> {
        self.out.write_all(b"\n}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_lists_have_a_line_each() {
        let mut out = Vec::new();
        let mut document = Document::begin(&mut out, "t.v1").unwrap();
        document.field("a", &1).unwrap();
        document.list("none", [0; 0]).unwrap();
        document.list("two", ["x", "y\"\n"]).unwrap();
        document.field("b", &None::<u8>).unwrap();
        document.end().unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "{\n  \"schema\": \"t.v1\",\n  \"a\": 1,\n  \"none\": [],\n  \"two\": [\n    \"x\",\n    \"y\\\"\\n\"\n  ],\n  \"b\": null\n}\n"
        );
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap()["two"][1],
            "y\"\n"
        );
    }
}
