//! COCO's compressed text of run lengths.

use crate::{GeometryError, Result};

/// The letter of the value 0.
const ZERO: u8 = b'0';
/// The bit of a letter that says that another of the same number follows.
const CONTINUES: u8 = 0x20;
/// The bits of a number within one letter, and how many they are.
const DIGITS: u8 = 0x1f;
const NUM_DIGITS: u32 = 5;
/// The highest of these bits, which in a number's last letter is its sign.
const SIGN: u8 = 0x10;
/// From this run on, runs are written as differences from the run two before.
const FIRST_DIFFERENCE: usize = 3;

pub fn encode(runs: &[u64]) -> String {
    let mut text = String::new();
    for (place, &run) in runs.iter().enumerate() {
        let previous = if place >= FIRST_DIFFERENCE { runs[place - 2] } else { 0 };
        let mut rest = run as i64 - previous as i64;
        loop {
            let digits = (rest as u8) & DIGITS;
            rest >>= NUM_DIGITS;
            let ends = if digits & SIGN == 0 { rest == 0 } else { rest == -1 };
            let letter = if ends { digits } else { digits | CONTINUES };
            text.push(char::from(letter + ZERO));
            if ends {
                break;
            }
        }
    }
    text
}

pub fn decode(text: &str) -> Result<Vec<u64>> {
    let mut runs: Vec<u64> = vec![];
    let mut number = 0i64;
    let mut shift = 0;
    for (place, byte) in text.bytes().enumerate() {
        let invalid = GeometryError::CompressedNumber { place };
        let letter = byte.wrapping_sub(ZERO);
        if letter >= 2 * CONTINUES {
            return Err(GeometryError::CompressedByte { byte, place });
        }
        if shift + NUM_DIGITS > i64::BITS - 4 {
            return Err(invalid);
        }
        number |= i64::from(letter & DIGITS) << shift;
        shift += NUM_DIGITS;
        if letter & CONTINUES != 0 {
            continue;
        }
        if letter & SIGN != 0 {
            number |= -1 << shift;
        }
        let previous = if runs.len() >= FIRST_DIFFERENCE { runs[runs.len() - 2] } else { 0 };
        let run = i64::try_from(previous).ok().and_then(|previous| previous.checked_add(number));
        runs.push(run.and_then(|run| u64::try_from(run).ok()).ok_or(invalid)?);
        (number, shift) = (0, 0);
    }
    if shift > 0 {
        return Err(GeometryError::CompressedNumber { place: text.len() });
    }
    Ok(runs)
}
