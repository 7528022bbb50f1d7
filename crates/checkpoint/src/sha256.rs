use std::fmt::Write;
use std::fs::File;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::CheckpointError;

/// The SHA-256 of a file, in lower-case hexadecimal, as `sha256sum` prints it.
///
/// # Errors
/// [`CheckpointError::Read`] if the file cannot be read.
pub fn sha256_of_file(path: impl AsRef<Path>) -> Result<String, CheckpointError> {
    let path = path.as_ref();
    let hash = || {
        let mut file = File::open(path)?;
        let mut buffer = vec![0; 1 << 20];
        let mut hasher = Sha256::new();
        loop {
            match io::Read::read(&mut file, &mut buffer) {
                Ok(0) => return Ok(hexadecimal(&hasher.finalize())),
                Ok(count) => hasher.update(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    };
    hash().map_err(CheckpointError::read(path))
}

/// The SHA-256 of bytes in memory, in lower-case hexadecimal.
///
/// ```
/// assert!(gyrus_checkpoint::sha256_of_bytes(b"abc").starts_with("ba7816bf8f01cfea"));
/// ```
pub fn sha256_of_bytes(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{sha256_of_bytes, sha256_of_file};

    #[test]
    fn published_vectors() {
        // FIPS 180-4, examples of one and two blocks.
        let one = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let two = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
        assert_eq!(sha256_of_bytes(b"abc"), one);
        assert_eq!(sha256_of_bytes(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), two);
    }

    #[test]
    fn of_a_file_larger_than_the_buffer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large");
        let bytes = vec![7; (1 << 20) + 3];
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(sha256_of_file(&path).unwrap(), sha256_of_bytes(&bytes));
        let error = sha256_of_file(folder.path().join("none")).unwrap_err().to_string();
        assert!(error.contains("none") && error.contains("check the path"), "{error}");
    }
}
