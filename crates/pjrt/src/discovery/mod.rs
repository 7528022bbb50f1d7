//! Finding plug-ins on this machine.
//!
//! Vendors ship their plug-ins as Python packages, which are archives of shared libraries: no Python runs to use one.

mod places;
#[cfg(test)]
mod tests;
mod vendors;

use std::path::PathBuf;

use self::places::Environment;
pub use self::vendors::{VENDORS, Vendor};
use crate::PjrtError;

/// A plug-in that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// Its vendor; `None` for a library that the user named and whose name says nothing.
    pub vendor: Option<&'static Vendor>,
    /// The shared library.
    pub path: PathBuf,
    /// Why it was found: the variable or folder that led to it.
    pub place: String,
}

/// The plug-ins of this machine, those first that are preferred: what `GYRUS_PJRT_PLUGIN` names, then those in the
/// packages of the active virtual environment, of Conda's, of the pythons on the `PATH`, of the user.
pub fn discover() -> Vec<Found> {
    discover_in(&Environment::of_process())
}

/// The plug-in that a device is asked for with: the name of one of [`VENDORS`], or `pjrt:PATH`.
///
/// # Errors
/// [`PjrtError::UnknownDevice`] for another name, [`PjrtError::NotFound`] with where it was looked for and the command
/// that installs it.
pub fn resolve(spec: &str) -> Result<Found, PjrtError> {
    resolve_in(spec, &Environment::of_process())
}

fn discover_in(environment: &Environment) -> Vec<Found> {
    let named = environment.named_plugins().into_iter().map(|path| Found {
        vendor: Vendor::of(&path),
        path,
        place: "GYRUS_PJRT_PLUGIN".to_owned(),
    });
    let places = environment.places();
    let installed = places.iter().flat_map(|place| {
        VENDORS.iter().flat_map(move |vendor| {
            vendor.plugins_in(&place.folder).into_iter().map(move |path| Found {
                vendor: Some(vendor),
                path,
                place: format!("{} ({})", place.folder.display(), place.reason),
            })
        })
    });
    named.chain(installed).collect()
}

fn resolve_in(spec: &str, environment: &Environment) -> Result<Found, PjrtError> {
    if let Some(path) = spec.strip_prefix("pjrt:") {
        let path = PathBuf::from(path);
        return Ok(Found { vendor: Vendor::of(&path), path, place: spec.to_owned() });
    }
    let vendor = Vendor::named(spec).ok_or_else(|| PjrtError::UnknownDevice {
        spec: spec.to_owned(),
        known: VENDORS.iter().map(|vendor| vendor.name).collect(),
    })?;
    let mut found = discover_in(environment).into_iter().filter(|found| found.vendor == Some(vendor));
    found.next().ok_or_else(|| PjrtError::NotFound {
        spec: spec.to_owned(),
        devices: vendor.devices,
        looked: environment.places().into_iter().map(|place| place.folder).collect(),
        install: vendor.install,
    })
}
