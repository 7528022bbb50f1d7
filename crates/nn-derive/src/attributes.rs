//! What `#[module(..)]` says.

use syn::{Attribute, Field, LitStr, Path, Result, parse_quote};

/// The path of the crate that has the trait: `#[module(crate = "..")]`, or `::gyrus`.
pub fn crate_path(attributes: &[Attribute]) -> Result<Path> {
    let mut path = parse_quote!(::gyrus);
    for attribute in of_module(attributes) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("unknown: a type has `crate = \"path\"` only"));
            }
            path = meta.value()?.parse::<LitStr>()?.parse()?;
            Ok(())
        })?;
    }
    Ok(path)
}

/// Whether a field is left out: `#[module(skip)]`.
pub fn is_skipped(field: &Field) -> Result<bool> {
    let mut skipped = false;
    for attribute in of_module(&field.attrs) {
        attribute.parse_nested_meta(|meta| {
            skipped = meta.path.is_ident("skip");
            if skipped { Ok(()) } else { Err(meta.error("unknown: a field has `skip` only")) }
        })?;
    }
    Ok(skipped)
}

fn of_module(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("module"))
}
