//! Agreeing on a version, with tables of functions that are made up.

use std::ffi::{c_char, c_int, c_void};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Plugin;
use super::ffi::{
    Api, Arguments, Error, ErrorDestroy, ErrorGetCode, ErrorMessage, MINOR, PluginAttributes, PluginInitialize,
    REQUIRED,
};
use crate::{ErrorCode, PjrtError};

/// The words before the functions: the table's size, extensions, and the version with the same two and two numbers.
const HEAD: usize = 5;

/// A table of functions, never freed as a plug-in's is not.
struct Table(Vec<usize>);

impl Table {
    /// All that is required, and nothing else.
    fn new(major: c_int, minor: c_int, num_slots: usize) -> Self {
        let mut words = vec![0; HEAD + num_slots];
        words[0] = words.len() * size_of::<usize>();
        words[2] = 3 * size_of::<usize>();
        words[4] = major as usize | (minor as usize) << 32;
        let mut table = Self(words);
        for (_, slot) in REQUIRED.iter().filter(|(_, slot)| *slot < num_slots) {
            table.set(*slot, succeed as *const c_void);
        }
        table
    }

    fn set(&mut self, slot: usize, function: *const c_void) {
        self.0[HEAD + slot] = function as usize;
    }

    fn load(self) -> Result<Plugin, PjrtError> {
        let words: &'static [usize] = self.0.leak();
        // SAFETY: a table that is never freed, with its size and version.
        let api = unsafe { Api::new(words.as_ptr().cast()) }.unwrap();
        Plugin::from_api(PathBuf::from("made_up.so"), api)
    }
}

extern "C" fn succeed(_arguments: *mut c_void) -> *mut Error {
    std::ptr::null_mut()
}

const ALL: usize = 138;

#[test]
fn another_minor_version_is_accepted() {
    for minor in [33, MINOR, 200] {
        let plugin = Table::new(0, minor, ALL).load().unwrap();
        assert_eq!(plugin.api_version(), (0, minor));
        assert_eq!(plugin.attributes(), []);
    }
}

#[test]
fn another_major_version_is_refused() {
    let error = Table::new(1, 0, ALL).load().unwrap_err();
    assert!(matches!(error, PjrtError::Version { version: (1, 0), .. }), "{error}");
    assert!(error.to_string().contains("made_up.so"), "{error}");
}

#[test]
fn what_lies_beyond_the_tables_end_is_missing() {
    let last = REQUIRED.iter().map(|(_, slot)| *slot).max().unwrap();
    assert!(Table::new(0, MINOR, last + 1).load().is_ok());
    let error = Table::new(0, MINOR, last).load().unwrap_err();
    assert!(matches!(&error, PjrtError::Lacks { missing, .. } if missing == &["PJRT_Buffer_ReadyEvent"]), "{error}");
    let error = Table::new(0, MINOR, 0).load().unwrap_err();
    assert!(matches!(&error, PjrtError::Lacks { missing, .. } if missing.len() == REQUIRED.len()), "{error}");
}

#[test]
fn a_null_function_is_missing() {
    let mut table = Table::new(0, MINOR, ALL);
    table.set(20, std::ptr::null());
    let error = table.load().unwrap_err().to_string();
    assert!(error.contains("lacks PJRT_Client_Compile:"), "{error}");
}

static SIZE_SEEN: AtomicUsize = AtomicUsize::new(0);

/// Refuses what a newer header would: a struct with less than three words more than ours, or not zero there.
extern "C" fn initialize_of_a_newer_header(arguments: *mut PluginInitialize) -> *mut Error {
    // SAFETY: the arguments are as large as they say.
    unsafe {
        let size = (*arguments).struct_size;
        SIZE_SEEN.store(size, Ordering::Relaxed);
        let words = std::slice::from_raw_parts(arguments.cast::<usize>(), size / size_of::<usize>());
        let is_enough = words.len() >= 5 && words[1..].iter().all(|word| *word == 0);
        if is_enough { std::ptr::null_mut() } else { std::ptr::dangling_mut() }
    }
}

#[test]
fn newer_plugins_find_zeros_where_they_expect_more() {
    let mut table = Table::new(0, MINOR + 1, ALL);
    table.set(PluginInitialize::SLOT, initialize_of_a_newer_header as *const c_void);
    assert!(table.load().is_ok());
    assert!(SIZE_SEEN.load(Ordering::Relaxed) > size_of::<PluginInitialize>());
}

static DESTROYED: AtomicUsize = AtomicUsize::new(0);
const MESSAGE: &str = "no device was found\n";

extern "C" fn fail(_arguments: *mut c_void) -> *mut Error {
    std::ptr::dangling_mut()
}

extern "C" fn message(arguments: *mut ErrorMessage) {
    // SAFETY: the arguments are there.
    unsafe {
        (*arguments).message = MESSAGE.as_ptr().cast::<c_char>();
        (*arguments).message_size = MESSAGE.len();
    }
}

extern "C" fn code(arguments: *mut ErrorGetCode) -> *mut Error {
    // SAFETY: the arguments are there.
    unsafe { (*arguments).code = ErrorCode::UNAVAILABLE.0 };
    std::ptr::null_mut()
}

extern "C" fn destroy(_arguments: *mut ErrorDestroy) {
    DESTROYED.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn errors_carry_the_plugins_words_and_are_freed() {
    let mut table = Table::new(0, MINOR, ALL);
    table.set(PluginInitialize::SLOT, fail as *const c_void);
    table.set(ErrorMessage::SLOT, message as *const c_void);
    table.set(ErrorGetCode::SLOT, code as *const c_void);
    table.set(ErrorDestroy::SLOT, destroy as *const c_void);
    // Not to be asked for after the failure.
    table.set(PluginAttributes::SLOT, fail as *const c_void);
    let error = table.load().unwrap_err();
    assert_eq!(DESTROYED.load(Ordering::Relaxed), 1);
    let PjrtError::Plugin { code, message, .. } = &error else { panic!("{error}") };
    assert_eq!((*code, message.as_str()), (ErrorCode::UNAVAILABLE, MESSAGE));
    assert_eq!(
        error.to_string(),
        "setting the plug-in up failed in the plug-in made_up.so: unavailable: no device was found; \
         is the device there, and is its driver loaded?"
    );
}
