//! The parts of a model from its input to its output.

use gyrus_tensor::Module;

/// The stage of a tensor by its path: up to the first number in it, or its first name. `layer1.0.conv1.weight` is in
/// `layer1.0`, `fc.weight` in `fc`.
///
/// ```
/// assert_eq!(gyrus_models::stage_of("layer1.0.conv1.weight"), "layer1.0");
/// assert_eq!(gyrus_models::stage_of("fc.weight"), "fc");
/// ```
pub fn stage_of(path: &str) -> &str {
    let is_number = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    let mut end = 0;
    for name in path.split('.') {
        end += name.len();
        if is_number(name) {
            return &path[..end];
        }
        end += 1;
    }
    path.split_once('.').map_or(path, |(first, _)| first)
}

/// The stages of a model, in the order in which it has them.
pub fn stages(model: &(impl Module + ?Sized)) -> Vec<String> {
    let mut stages: Vec<String> = vec![];
    for (path, _, _) in model.named_tensors() {
        let stage = stage_of(&path);
        if stages.last().is_none_or(|last| last != stage) {
            stages.push(stage.to_owned());
        }
    }
    stages
}
