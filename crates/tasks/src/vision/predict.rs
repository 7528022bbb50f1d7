//! Applying a model to images, wherever they are, and writing what it says.

use std::io::Read;
use std::path::Path;

use gyrus_data::readers::image_file;
use gyrus_data::{DataError, ImageBuffer};

use super::predictor::Answered;
use super::write::{Files, Format, Lines, Said, files, lines};
use super::{Description, Model, Predictor, Source, VisionTask, sources};
use crate::{Request, TaskError};

/// Applies a model to what the request names, writes the formats that it asks for, and emits lines.
///
/// # Errors
/// [`TaskError::Usage`] for formats that cannot be; if a file cannot be written; after all others, the first image that
/// cannot be read.
pub fn predict<V: VisionTask>(
    description: &Description<V::Options>,
    model: &mut Model<V>,
    request: &Request,
    emit: &mut dyn FnMut(&str),
) -> Result<(), TaskError> {
    let sources = sources(&request.sources)?;
    let mut outputs = Outputs::of(request, &description.classes)?;
    let confidence = request.confidence.or(description.confidence).unwrap_or(0.0);
    let channels = if description.preprocess.channels == 1 { 1 } else { 3 };
    let read = |number: usize, image: &mut _| read(&sources[number], channels, image);
    // One image that cannot be read does not keep the others from being answered.
    let mut first_error = None;
    let mut predictor = Predictor::<V>::new(description, request.mirror).one_by_one();
    predictor.each::<TaskError>(model, sources.len(), &read, |answered| {
        match answered {
            Ok(Answered { number, image, mut answer }) => {
                answer.confident(confidence);
                let Source { name, .. } = &sources[number];
                let said = Said { source: &sources[number].shown(), name, image: &image, answer: &answer };
                outputs.take(&said, emit)?;
            }
            Err(error) => first_error = first_error.take().or(Some(error)),
        }
        Ok(())
    })?;
    outputs.finish()?;
    first_error.map_or(Ok(()), |error| Err(error.into()))
}

/// Reads an image; the bytes of standard input are all of it.
pub(super) fn read(source: &Source, channels: usize, image: &mut ImageBuffer) -> Result<(), DataError> {
    if let Some(path) = &source.path {
        return image_file::read(path, channels, image);
    }
    let (mut bytes, name) = (vec![], Path::new("standard input"));
    let read = std::io::stdin().read_to_end(&mut bytes);
    read.map_err(|error| DataError::Read { path: name.to_owned(), source: error })?;
    image_file::decode(&bytes, name, channels, image)
}

/// Where answers go.
struct Outputs<'a> {
    printed: Box<dyn Lines + 'a>,
    files: Vec<Box<dyn Files + 'a>>,
}

impl<'a> Outputs<'a> {
    fn of(request: &Request, classes: &'a [String]) -> Result<Self, TaskError> {
        let usage = |reason: String| TaskError::Usage(format!("--format {reason}"));
        let parse = |name: &String| name.trim().parse::<Format>().map_err(usage);
        let mut formats = request.formats.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        let plain = if request.json { Format::Json } else { Format::Text };
        let printed = match (&request.folder, &formats[..]) {
            (Some(_), _) | (None, []) => plain,
            (None, [format]) if format.is_lines() => *format,
            (None, [format]) => {
                return Err(usage(format!("{format}: writes files; name a folder for them with --out")));
            }
            (None, _) => {
                return Err(usage("with several formats writes files; name a folder for them with --out".into()));
            }
        };
        if formats.is_empty() {
            formats = vec![Format::Json, Format::Pictures];
        }
        let files = match &request.folder {
            Some(folder) => formats.iter().map(|format| files(*format, folder, classes)).collect::<Result<_, _>>()?,
            None => vec![],
        };
        Ok(Self { printed: lines(printed, classes).expect("a format of lines"), files })
    }

    fn take(&mut self, said: &Said, emit: &mut dyn FnMut(&str)) -> Result<(), TaskError> {
        self.files.iter_mut().try_for_each(|files| files.write(said))?;
        self.printed.lines(said)?.iter().for_each(|line| emit(line));
        Ok(())
    }

    fn finish(&mut self) -> Result<(), TaskError> {
        self.files.iter_mut().try_for_each(|files| files.finish())
    }
}
