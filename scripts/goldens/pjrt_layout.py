#!/usr/bin/env python3
"""Makes crates/pjrt/tests/golden/pjrt_layout.json: how a C compiler lays out the structs of the PJRT C API that gyrus
declares, and where each function that it calls stands in the table.

    pip download --no-deps tensorflow-cpu==2.21.0
    unzip tensorflow_cpu-*.whl 'tensorflow/include/xla/pjrt/c/pjrt_c_api.h'
    python scripts/goldens/pjrt_layout.py tensorflow/include/xla/pjrt/c/pjrt_c_api.h \\
        > crates/pjrt/tests/golden/pjrt_layout.json

Needs a C compiler (`cc`). The names come from crates/pjrt/src/runtime/ffi/calls.rs; fields are all that the header has.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)


def fields(header, struct):
    """The names of a struct's fields, those of unions within it left out."""
    body = re.search(r"struct %s \{(.*?)\n\};" % struct, header, re.S).group(1)
    body = re.sub(r"union \{.*?\};", "", body, flags=re.S)
    callbacks = r"\(\*(\w+)\)\s*\([^)]*\)"
    return [re.search(callbacks, line).group(1) if re.search(callbacks, line) else re.search(r"(\w+)\s*$", line).group(1)
            for line in body.split(";") if line.strip()]


def enumerators(header):
    """The names of the constants that structs of the interface hold."""
    kinds = "NamedValue_Type|Buffer_Type|HostBufferSemantics|Buffer_MemoryLayout_Type|Error_Code"
    bodies = re.findall(r"typedef enum \{([^}]*)\} PJRT_(?:%s);" % kinds, header)
    return [name for body in bodies for name in re.findall(r"PJRT_\w+", body)]


def main():
    path = pathlib.Path(sys.argv[1])
    header = without_comments(path.read_text())
    calls = pathlib.Path(__file__).parents[2] / "crates/pjrt/src/runtime/ffi/calls.rs"
    names = re.findall(r'"(PJRT_\w+)"', calls.read_text())
    structs = [name for name in names if re.search(r"struct %s \{" % name, header)]
    functions = sorted(set(names) - set(structs))
    lines = ["#include <stdio.h>", '#include "%s"' % path.resolve(), "int main(void) {"]
    for struct in structs:
        lines.append('printf("%s size %%zu\\n", sizeof(%s));' % (struct, struct))
        for field in fields(header, struct):
            lines.append('printf("%s %s %%zu\\n", offsetof(%s, %s));' % (struct, field, struct, field))
    for function in functions:
        lines.append('printf("functions %s %%zu\\n", offsetof(PJRT_Api, %s));' % (function, function))
    for constant in enumerators(header):
        lines.append('printf("constants %s %%d\\n", (int)%s);' % (constant, constant))
    lines += ["return 0;", "}"]
    with tempfile.TemporaryDirectory() as folder:
        source, program = pathlib.Path(folder, "layout.c"), pathlib.Path(folder, "layout")
        source.write_text("\n".join(lines))
        subprocess.run(["cc", source, "-o", program], check=True)
        output = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    layout = {}
    for line in output.splitlines():
        struct, field, number = line.split()
        layout.setdefault(struct, {})[field] = int(number)
    version = [int(re.search(r"#define PJRT_API_%s (\d+)" % part, header).group(1)) for part in ("MAJOR", "MINOR")]
    made = {
        "made_by": "scripts/goldens/pjrt_layout.py",
        "header": "xla/pjrt/c/pjrt_c_api.h %d.%d, from tensorflow-cpu 2.21.0" % tuple(version),
        "compiler": subprocess.run(["cc", "--version"], capture_output=True, text=True).stdout.splitlines()[0],
        "minor_version": version[1],
        "constants": layout.pop("constants"),
        "functions": layout.pop("functions"),
        "structs": layout,
    }
    # One struct a line.
    print(re.sub(r"\{\s+((?:[^{}]|\n)*?)\s+\}", lambda m: "{" + " ".join(m.group(1).split()) + "}", json.dumps(made, indent=1)))


main()
