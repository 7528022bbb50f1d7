//! Every test case of every operation, forward and backward, on a plug-in against the CPU's kernels.

mod edges;
mod programs;

use std::collections::BTreeSet;

use gyrus_graph::conformance::Case;
use gyrus_graph::{DType, Graph, Operation, Value, gradients, ops};
use gyrus_pjrt::runtime::Client;

use programs::{Random, client, difference_as_of, run};

/// So many cases are one program: compiling many small ones takes longer.
const CASES_OF_A_PROGRAM: usize = 24;

/// One case with its inputs.
struct Use {
    name: String,
    inputs: Vec<Value>,
    outputs: Vec<Value>,
}

fn is_real(value: &&Value) -> bool {
    value.dtype().is_float()
}

/// The sum of the gradients of all real values for all real inputs.
fn gradient(inputs: &[Value], values: &[Value]) -> Vec<Value> {
    let targets: Vec<Value> = inputs.iter().filter(is_real).cloned().collect();
    let ends: Vec<Value> = values.iter().filter(is_real).cloned().collect();
    let ones: Vec<Value> = ends.iter().map(|end| end.full_like(1.0)).collect();
    gradients(&ends, &ones, &targets).into_iter().flatten().collect()
}

/// How often cases are differentiated: twice in `f64`, where rounding hides least; not in `f16`, in which nothing is
/// lowered otherwise than in `bf16`.
fn num_derivatives(dtype: DType) -> usize {
    match dtype {
        DType::F64 => 2,
        DType::F16 => 0,
        _ => 1,
    }
}

/// The cases of an element type, forward and differentiated.
fn uses(cases: Vec<Case>, dtype: DType) -> Vec<Use> {
    let mut random = Random(7);
    let mut uses = vec![];
    for Case { name, inputs, build, differentiable, twice } in cases {
        let inputs: Vec<Value> = inputs.iter().map(|sample| random.sample(sample, dtype)).collect();
        let outputs = build(&inputs);
        let mut orders = vec![outputs];
        for _ in 0..num_derivatives(dtype).min(usize::from(differentiable) + usize::from(twice)) {
            let last = orders.last().expect("the outputs");
            orders.push(gradient(&inputs, last));
        }
        for (order, outputs) in ["", "gradient of ", "second gradient of "].into_iter().zip(orders) {
            uses.push(Use { name: format!("{order}{name} {dtype}"), inputs: inputs.clone(), outputs });
        }
    }
    uses
}

/// The names of the operations in a graph.
fn operations(graph: &Graph) -> impl Iterator<Item = &'static str> + '_ {
    graph.nodes.iter().map(|node| node.op.name())
}

/// Runs uses as one program, and returns how they differ; one by one where the program has an error, to name who
/// made it.
fn failures(client: &Client, uses: &[Use], seen: &mut BTreeSet<&'static str>) -> Vec<String> {
    let inputs: Vec<Value> = uses.iter().flat_map(|it| it.inputs.iter().cloned()).collect();
    let outputs: Vec<Value> = uses.iter().flat_map(|it| it.outputs.iter().cloned()).collect();
    let captured = Graph::capture(&inputs, &outputs);
    seen.extend(operations(&captured.graph));
    let inputs = inputs.into_iter().chain(captured.constants).collect();
    let found = match (run(client, &captured.graph, &[inputs], &[]), uses) {
        (Ok(mut found), _) => found.pop().expect("one replica"),
        (Err(error), [only]) => return vec![format!("{}: {error}", only.name)],
        (Err(_), _) => return uses.iter().flat_map(|it| failures(client, std::slice::from_ref(it), seen)).collect(),
    };
    gyrus_cpu::execute::evaluate(&outputs);
    let names = uses.iter().flat_map(|it| (0..it.outputs.len()).map(move |place| (&it.name, place)));
    let compared = names.zip(found.iter().zip(&outputs));
    compared
        .filter_map(|((name, place), (found, expected))| {
            // The CPU need not round operands, and results of convolutions of such operands are rounded, too.
            let is_as_stated = gyrus_cpu::isa::Isa::get().gains_by_bf16() && !name.contains("convolution");
            let is_rounded = expected.dtype() == DType::F32 && name.contains("of bf16") && !is_as_stated;
            let dtype = if is_rounded { DType::BF16 } else { expected.dtype() };
            difference_as_of(dtype, found, expected).map(|difference| format!("{name}, output {place}: {difference}"))
        })
        .collect()
}

fn check(dtype: DType) {
    let Some(client) = client(1) else { return };
    // Which of several replacements of one element stands is known on XLA's CPU alone.
    let is_open = |case: &Case| client.platform_name() != "cpu" && case.name.contains("replace, some twice");
    let cases = ops::cases().into_iter().chain(edges::cases()).filter(|case| !is_open(case));
    let uses = uses(cases.collect(), dtype);
    let mut seen = BTreeSet::new();
    let found: Vec<String> =
        uses.chunks(CASES_OF_A_PROGRAM).flat_map(|uses| failures(&client, uses, &mut seen)).collect();
    println!("{dtype}: {} operations in {} uses", seen.len(), uses.len());
    assert!(found.is_empty(), "{} of {} uses differ:\n{}", found.len(), uses.len(), found.join("\n"));
    // A list of cases that has become empty would say nothing.
    assert!(seen.len() > 80 && uses.len() > 300, "{} operations in {} uses", seen.len(), uses.len());
}

#[test]
fn programs_of_f64_agree_with_the_cpu() {
    check(DType::F64);
}

#[test]
fn programs_of_f32_agree_with_the_cpu() {
    check(DType::F32);
}

#[test]
fn programs_of_bf16_agree_with_the_cpu() {
    check(DType::BF16);
}

#[test]
fn programs_of_f16_agree_with_the_cpu() {
    check(DType::F16);
}
