//! The text as it grows: operations, regions, functions.

use std::collections::HashMap;
use std::fmt::Write;

use gyrus_graph::ops::elementwise::Direction;
use gyrus_graph::{DType, Graph, Op, Operation, Scalar, Shape, Spec, Value};

use super::attributes::{listed, splat, tensor_type};
use super::{LoweringError, table};

/// A value in the text.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    name: String,
    pub(super) spec: Spec,
}

impl Tensor {
    pub(super) fn shape(&self) -> &[usize] {
        &self.spec.shape
    }

    pub(super) fn dtype(&self) -> DType {
        self.spec.dtype
    }

    pub(super) fn rank(&self) -> usize {
        self.spec.shape.rank()
    }
}

/// A function being written.
#[derive(Default)]
struct Body {
    text: String,
    num_values: usize,
    depth: usize,
    /// The operations being lowered, each within the one before.
    path: Vec<&'static str>,
}

/// A module being written.
pub(super) struct Writer {
    pub(super) num_replicas: usize,
    body: Body,
    /// The functions that stand for operations on operands of some specifications.
    known: HashMap<(Op, Vec<Spec>), Function>,
    num_functions: usize,
    functions: String,
}

/// A function that can be called.
#[derive(Clone)]
struct Function {
    name: String,
    results: Vec<Spec>,
}

impl Writer {
    pub(super) fn new(num_replicas: usize) -> Writer {
        Writer {
            num_replicas,
            body: Body::default(),
            known: HashMap::new(),
            num_functions: 0,
            functions: String::new(),
        }
    }

    /// The whole module.
    pub(super) fn module(
        mut self,
        name: &str,
        graph: &Graph,
        donated: &[Option<usize>],
    ) -> Result<String, LoweringError> {
        let main = self.function("public @main", vec![], graph, donated)?;
        let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let (replicas, functions) = (self.num_replicas, &self.functions);
        let attributes = format!("mhlo.num_partitions = 1 : i32, mhlo.num_replicas = {replicas} : i32");
        Ok(format!("module @\"{name}\" attributes {{{attributes}}} {{\n{main}{functions}}}\n"))
    }

    /// The text of a function that computes a graph, within the operation that it stands for.
    fn function(
        &mut self,
        name: &str,
        path: Vec<&'static str>,
        graph: &Graph,
        donated: &[Option<usize>],
    ) -> Result<String, LoweringError> {
        let outer = std::mem::replace(&mut self.body, Body { depth: 2, path, ..Body::default() });
        let arguments = self.names(graph.inputs.iter().map(|&node| &graph.nodes[node].outputs[0]));
        let results = self.graph(graph, &arguments)?;
        self.end("func.return", &results);
        let body = std::mem::replace(&mut self.body, outer);
        let argument = |(place, argument): (usize, &Tensor)| {
            let alias =
                donated.get(place).copied().flatten().map(|output| format!("tf.aliasing_output = {output} : i32"));
            let alias = alias.map_or(String::new(), |alias| format!(" {{{alias}}}"));
            format!("{}: {}{alias}", argument.name, tensor_type(&argument.spec))
        };
        let takes = listed(arguments.iter().enumerate().map(argument));
        let gives = listed(results.iter().map(|result| tensor_type(&result.spec)));
        Ok(format!("  func.func {name}({takes}) -> ({gives}) {{\n{}  }}\n", body.text))
    }

    /// Writes a graph's operations on `inputs`, and returns its outputs.
    pub(super) fn graph(&mut self, graph: &Graph, inputs: &[Tensor]) -> Result<Vec<Tensor>, LoweringError> {
        let mut tensors: Vec<Vec<Tensor>> = vec![vec![]; graph.nodes.len()];
        for (&node, input) in graph.inputs.iter().zip(inputs) {
            tensors[node] = vec![input.clone()];
        }
        for (index, node) in graph.nodes.iter().enumerate() {
            if matches!(node.op, Op::Leaf(_)) {
                continue;
            }
            let operands: Vec<Tensor> = node.inputs.iter().map(|p| tensors[p.node][p.output].clone()).collect();
            self.body.path.push(node.op.name());
            tensors[index] = table::lower(self, &node.op, &operands, &node.outputs)?;
            self.body.path.pop();
        }
        Ok(graph.outputs.iter().map(|port| tensors[port.node][port.output].clone()).collect())
    }

    /// Calls the function that stands for an operation on such operands; the first time it is made, of what `body`
    /// records.
    ///
    /// # Errors
    /// If `body` has nothing to record, or what it records has no text.
    pub(super) fn call(
        &mut self,
        op: &Op,
        operands: &[Tensor],
        body: impl FnOnce(&[Value]) -> Option<Vec<Value>>,
    ) -> Result<Vec<Tensor>, LoweringError> {
        let key = (op.clone(), operands.iter().map(|operand| operand.spec.clone()).collect::<Vec<Spec>>());
        if !self.known.contains_key(&key) {
            let arguments: Vec<Value> = key.1.iter().cloned().map(Value::placeholder).collect();
            let outputs = body(&arguments).ok_or_else(|| LoweringError::Unsupported {
                operation: op.name(),
                reason: "StableHLO has no word for it, and it has no decomposition".into(),
            })?;
            let captured = Graph::capture(&arguments, &outputs);
            assert!(captured.constants.is_empty(), "{}: a decomposition reads its operands only", op.name());
            let name = format!("{}_{}", op.name(), self.num_functions);
            self.num_functions += 1;
            let function = self.function(&format!("private @{name}"), vec![op.name()], &captured.graph, &[])?;
            self.functions.push_str(&function);
            let results = outputs.iter().map(|output| output.spec().clone()).collect();
            self.known.insert(key.clone(), Function { name, results });
        }
        let Function { name, results } = self.known[&key].clone();
        let operands: Vec<&Tensor> = operands.iter().collect();
        Ok(self.operation("func.call", &operands, &[], &format!("callee = @{name}"), &results))
    }

    /// New values of these specifications.
    fn names<'s>(&mut self, specs: impl IntoIterator<Item = &'s Spec>) -> Vec<Tensor> {
        let name = |spec: &Spec| {
            self.body.num_values += 1;
            Tensor { name: format!("%{}", self.body.num_values - 1), spec: spec.clone() }
        };
        specs.into_iter().map(name).collect()
    }

    fn line(&mut self, text: &str) {
        let indentation = "  ".repeat(self.body.depth);
        writeln!(self.body.text, "{indentation}{text}").expect("a string grows");
    }

    /// The last operation of a region or function.
    fn end(&mut self, name: &str, results: &[Tensor]) {
        let names = listed(results.iter().map(|result| &result.name));
        let types = listed(results.iter().map(|result| tensor_type(&result.spec)));
        self.line(&format!("\"{name}\"({names}) : ({types}) -> ()"));
    }

    /// The text of a region of one block, which `build` writes and whose results it returns.
    pub(super) fn region(
        &mut self,
        arguments: &[Spec],
        build: impl FnOnce(&mut Writer, &[Tensor]) -> Result<Vec<Tensor>, LoweringError>,
    ) -> Result<String, LoweringError> {
        let outer = std::mem::take(&mut self.body.text);
        let arguments = self.names(arguments);
        let list = listed(arguments.iter().map(|it| format!("{}: {}", it.name, tensor_type(&it.spec))));
        self.line(&format!("^bb0({list}):"));
        self.body.depth += 1;
        let results = build(self, &arguments)?;
        self.end("stablehlo.return", &results);
        self.body.depth -= 1;
        Ok(std::mem::replace(&mut self.body.text, outer))
    }

    /// Any operation.
    pub(super) fn operation(
        &mut self,
        name: &str,
        operands: &[&Tensor],
        regions: &[String],
        attributes: &str,
        results: &[Spec],
    ) -> Vec<Tensor> {
        let indentation = "  ".repeat(self.body.depth);
        let name_and_operands = format!("\"{name}\"({})", listed(operands.iter().map(|operand| &operand.name)));
        let regions = listed(regions.iter().map(|region| format!("{{\n{region}{indentation}}}")));
        let regions = if regions.is_empty() { regions } else { format!(" ({regions})") };
        let attributes = if attributes.is_empty() { String::new() } else { format!(" {{{attributes}}}") };
        let takes = listed(operands.iter().map(|operand| tensor_type(&operand.spec)));
        let gives = match results {
            [result] => tensor_type(result),
            several => format!("({})", listed(several.iter().map(tensor_type))),
        };
        let location = self.body.path.join("/");
        let number = self.body.num_values;
        self.body.num_values += 1;
        let (left, made) = match results {
            [] => (String::new(), vec![]),
            [_] => (format!("%{number} = "), vec![format!("%{number}")]),
            several => {
                let names = (0..several.len()).map(|output| format!("%{number}#{output}"));
                (format!("%{number}:{} = ", several.len()), names.collect())
            }
        };
        self.line(&format!(
            "{left}{name_and_operands}{regions}{attributes} : ({takes}) -> {gives} loc(\"{location}\")"
        ));
        made.into_iter().zip(results).map(|(name, spec)| Tensor { name, spec: spec.clone() }).collect()
    }

    /// An operation of StableHLO with one result and no regions.
    pub(super) fn op(&mut self, name: &str, operands: &[&Tensor], attributes: &str, result: &Spec) -> Tensor {
        self.op_of_region(name, operands, &[], attributes, result)
    }

    /// An operation of StableHLO with one result.
    pub(super) fn op_of_region(
        &mut self,
        name: &str,
        operands: &[&Tensor],
        regions: &[String],
        attributes: &str,
        result: &Spec,
    ) -> Tensor {
        let name = format!("stablehlo.{name}");
        let mut results = self.operation(&name, operands, regions, attributes, std::slice::from_ref(result));
        results.pop().expect("one result")
    }

    /// An element-wise operation whose result is as its first operand.
    pub(super) fn map(&mut self, name: &str, operands: &[&Tensor]) -> Tensor {
        self.op(name, operands, "", &operands[0].spec)
    }

    /// One element repeated over a shape.
    pub(super) fn constant(&mut self, scalar: Scalar, shape: impl Into<Shape>) -> Tensor {
        let spec = Spec::new(shape, scalar.dtype());
        self.op("constant", &[], &format!("value = {}", splat(scalar, &spec)), &spec)
    }

    /// A number repeated over the shape of another value, of its element type.
    pub(super) fn full_like(&mut self, like: &Tensor, value: f64) -> Tensor {
        self.constant(Scalar::from_f64(like.dtype(), value), like.shape())
    }

    /// The elements as another type by StableHLO's rules; the same type is no operation.
    pub(super) fn cast(&mut self, x: &Tensor, dtype: DType) -> Tensor {
        if dtype == x.dtype() {
            return x.clone();
        }
        self.op("convert", &[x], "", &Spec::new(x.shape(), dtype))
    }

    /// The same elements in another shape; the same shape is no operation.
    pub(super) fn reshape(&mut self, x: &Tensor, shape: &[usize]) -> Tensor {
        if shape == x.shape() {
            return x.clone();
        }
        self.op("reshape", &[x], "", &Spec::new(shape, x.dtype()))
    }

    pub(super) fn compare(&mut self, direction: Direction, a: &Tensor, b: &Tensor) -> Tensor {
        let direction = match direction {
            Direction::Eq => "EQ",
            Direction::Ne => "NE",
            Direction::Lt => "LT",
            Direction::Le => "LE",
            Direction::Gt => "GT",
            Direction::Ge => "GE",
        };
        let kind = match a.dtype() {
            dtype if dtype.is_float() => "FLOAT",
            DType::Bool | DType::U8 => "UNSIGNED",
            _ => "SIGNED",
        };
        let attributes = format!(
            "compare_type = #stablehlo<comparison_type {kind}>, \
             comparison_direction = #stablehlo<comparison_direction {direction}>"
        );
        self.op("compare", &[a, b], &attributes, &Spec::new(a.shape(), DType::Bool))
    }

    pub(super) fn select(&mut self, condition: &Tensor, a: &Tensor, b: &Tensor) -> Tensor {
        self.op("select", &[condition, a, b], "", &a.spec)
    }

    /// The number of the replica that runs the program, a scalar of type `i64`.
    pub(super) fn replica(&mut self) -> Tensor {
        // StableHLO gives a number of a type that is none of ours.
        let number = self.body.num_values;
        self.body.num_values += 1;
        self.line(&format!("%{number} = \"stablehlo.replica_id\"() : () -> tensor<ui32>"));
        let spec = Spec::new([], DType::I64);
        let [replica] = <[Tensor; 1]>::try_from(self.names([&spec])).expect("one name");
        let (name, made) = (&replica.name, tensor_type(&spec));
        self.line(&format!("{name} = \"stablehlo.convert\"(%{number}) : (tensor<ui32>) -> {made}"));
        replica
    }
}
