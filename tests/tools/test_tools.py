#!/usr/bin/env python3
"""The checks can fail: each is given a small tree with one planted fault and has to find it."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CC = os.environ.get("CC", "cc").split()

LAYERS = """```layers
layer  api   include/weir
layer  base  core/base  api
layer  tcp   core/tcp   base api
layer  host  host       api
layer  tests tests      *
system api base tcp : stdint.h
```
"""

REQUIREMENTS = """
| MUST-1 | the first |
| MUST-2 | the second |
| SHLD-1 | the third |
| MAY-1 | the fourth |
"""


class Tree(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return str(file)

    def run_tool(self, tool, *arguments):
        result = subprocess.run([ROOT / "tools" / tool, *arguments], capture_output=True,
                                text=True, check=False)
        return result.returncode, result.stdout + result.stderr

    def expect_fault(self, tool, arguments, said):
        code, text = self.run_tool(tool, *arguments)
        self.assertEqual(code, 1, text)
        self.assertIn(said, text)

    def expect_none(self, tool, arguments):
        code, text = self.run_tool(tool, *arguments)
        self.assertEqual(code, 0, text)


class Layers(Tree):
    def setUp(self):
        super().setUp()
        self.write("docs/ARCHITECTURE.md", LAYERS)
        self.write("include/weir/weir.h", "#include <stdint.h>\n")
        self.write("core/base/be.h", "")
        self.write("core/tcp/conn.h", "#include <weir/weir.h>\n#include \"base/be.h\"\n")

    def plant(self, path, include, said):
        self.write(path, f"#include {include}\n")
        self.expect_fault("check_layers.py", ["--root", self.root], said)

    def test_a_clean_tree_passes(self):
        self.write("tests/unit/tcp/test.c", '#include <stdio.h>\n#include "tcp/conn.h"\n')
        self.expect_none("check_layers.py", ["--root", self.root])

    def test_upwards(self):
        self.plant("core/base/be.c", '"tcp/conn.h"', "base may not include tcp")

    def test_from_outside_into_the_core(self):
        self.plant("host/loop.c", '"base/be.h"', "host may not include base")

    def test_system_header(self):
        self.plant("core/base/be.c", "<stdio.h>", "<stdio.h>: not one of")

    def test_no_folder(self):
        self.plant("core/base/be.c", '"be.h"', "folder/file.h")

    def test_no_such_file(self):
        self.plant("core/base/be.c", '"base/no.h"', "no such file")

    def test_computed(self):
        self.plant("core/base/be.c", "HEADER", "names its file")


class Pure(Tree):
    def object_of(self, code):
        source = self.write("a.c", code)
        output = str(self.root / "a.o")
        subprocess.run([*CC, "-O1", "-fPIC", "-c", source, "-o", output], check=True)
        return output

    def plant(self, code, said):
        self.expect_fault("check_pure.py", [self.object_of(code)], said)

    def test_a_pure_object_passes(self):
        self.expect_none("check_pure.py", [self.object_of(
            "int weir_a(int a); static const char *const t[] = {\"a\", \"b\"};"
            "const char *weir_name(int a); const char *weir_name(int a) { return t[a]; }"
            "int weir_a(int a) { return a; }")])

    def test_needs(self):
        self.plant("void *malloc(unsigned long); void *weir_a(void) { return malloc(1); }",
                   "needs malloc")

    def test_data(self):
        self.plant("int weir_a(void) { static int n = 1; return n++; }", "can be written")

    def test_bss(self):
        self.plant("int weir_a(void) { static int n; return n++; }", "can be written")

    def test_names(self):
        self.plant("int tcp_input(void) { return 0; }", "shows tcp_input")


class Headers(Tree):
    def plant(self, path, text, said):
        self.write(path, text)
        self.expect_fault("check_headers.py", ["--root", self.root], said)

    def test_a_good_header_passes(self):
        self.write("core/base/be.h", "#ifndef CORE_BASE_BE_H\n#define CORE_BASE_BE_H\n#endif\n")
        self.expect_none("check_headers.py", ["--root", self.root])

    def test_guard(self):
        self.plant("core/base/be.h", "#ifndef BE_H\n#define BE_H\n#endif\n",
                   "the guard is CORE_BASE_BE_H")

    def test_leans_on_another(self):
        self.plant("core/base/be.h", "#ifndef CORE_BASE_BE_H\n#define CORE_BASE_BE_H\n"
                   "uint8_t be(void);\n#endif\n", "uint8_t")

    def test_not_cxx(self):
        self.plant("include/weir/a.h", "#ifndef WEIR_A_H\n#define WEIR_A_H\nint a(int class);\n"
                   "#endif\n", "class")


class Text(Tree):
    def plant(self, text, said):
        self.write("a.c", text)
        self.expect_fault("check_text.sh", [self.root], said)

    def test_path(self):
        self.plant("/* see " + "/ho" + "me/somebody/notes */\n", "a path of one machine")

    def test_later(self):
        self.plant("/* TO" + "DO */\n", "left for later")

    def test_blanks(self):
        self.plant("int a; \n", "blanks")


class Conformance(Tree):
    def setUp(self):
        super().setUp()
        self.write("docs/requirements/rfc9293.md", REQUIREMENTS)
        self.write("docs/deviations.md", "| requirement | what Weir does | why |\n|---|---|---|\n"
                   "| MUST-2 | nothing | it is old |\n")
        self.write("core/tcp/a.c", "/* Adds [RFC9293 3.1, MUST-1]. */\n"
                   "static int add(int a)\n{\n    return a; /* [RFC9293 SHLD-1] */\n}\n")
        self.write("tests/unit/tcp/test_a.c", "TEST(one_is_added) /* [RFC9293 MUST-1] */\n{\n}\n")
        self.write("tests/conform/a.pkt", "// [RFC9293 SHLD-1]\n")

    def expect_problem(self, said):
        self.run_tool("conformance.py", "--root", self.root)
        self.expect_fault("conformance.py", ["--check", "--root", self.root], said)

    def test_a_complete_tree_passes(self):
        self.run_tool("conformance.py", "--root", self.root)
        self.expect_none("conformance.py", ["--check", "--root", self.root])
        table = (self.root / "docs/conformance.md").read_text()
        self.assertIn("| MUST-1 | the first | `core/tcp/a.c` add | "
                      "`tests/unit/tcp/test_a.c` one_is_added |", table)
        self.assertIn("| MUST-2 | the second | *deviation*: nothing |", table)
        self.assertIn("| MAY-1 | the fourth | *not offered* |", table)

    def test_no_test(self):
        self.write("tests/conform/a.pkt", "")
        self.expect_problem("SHLD-1 (the third): no test")

    def test_no_code(self):
        self.write("core/tcp/a.c", "/* [RFC9293 SHLD-1] */\n")
        self.expect_problem("MUST-1 (the first): no code")

    def test_no_deviation(self):
        self.write("docs/deviations.md", "")
        self.expect_problem("MUST-2 (the second): no code and no test")

    def test_unknown(self):
        self.write("tests/conform/b.pkt", "// [RFC9293 MUST-1 to MUST-3]\n")
        self.expect_problem("MUST-3: no such requirement")

    def test_out_of_date(self):
        self.run_tool("conformance.py", "--root", self.root)
        self.write("tests/conform/b.pkt", "// [RFC9293 MUST-1]\n")
        self.expect_fault("conformance.py", ["--check", "--root", self.root], "out of date")


RUNNER = """
#include "lib/test.h"
TEST(this_passes) { EXPECT_EQ(2, 2); EXPECT_STR("a", "a"); EXPECT_MEM("ab", "ac", 1); }
%s
"""


class Runner(Tree):
    """The unit test runner, with cmocka where that is installed and without."""

    def run_tests(self, code, *arguments):
        source = self.write("test_planted.c", RUNNER % code)
        kinds = [[]]
        if pathlib.Path("/usr/include/cmocka.h").exists():
            kinds.append(["-DWEIR_WITH_CMOCKA", "-lcmocka"])
        for kind in kinds:
            program = str(self.root / "planted")
            subprocess.run([*CC, "-std=gnu11", f"-I{ROOT}/tests", source,
                            f"{ROOT}/tests/lib/test.c", "-o", program, *kind], check=True)
            yield subprocess.run([program, *arguments], capture_output=True, text=True,
                                 check=False, env={"WEIR_TEST_SEED": "77"})

    def plant(self, code, *said):
        for result in self.run_tests(code):
            self.assertNotEqual(result.returncode, 0)
            for words in said:
                self.assertIn(words, result.stderr)

    def test_all_pass(self):
        for result in self.run_tests(""):
            self.assertEqual(result.returncode, 0, result.stderr)

    def test_condition(self):
        self.plant("TEST(bad) { EXPECT(1 == 2); }", "test_planted.c:4: in bad", "1 == 2")

    def test_numbers(self):
        self.plant("TEST(bad) { EXPECT_EQ(1 + 1, 3); }", "1 + 1 == 3", "left:  2", "right: 3")

    def test_strings(self):
        self.plant('TEST(bad) { EXPECT_STR("left", NULL); }', '"left"', "(null)")

    def test_bytes(self):
        self.plant('TEST(bad) { EXPECT_MEM("abc", "abd", 3); }', "from byte 2", "63", "64")

    def test_hook(self):
        self.plant("AFTER_EACH_TEST(clean) { EXPECT(0 == 1); }", "in this_passes", "0 == 1")

    def test_seed(self):
        self.plant("TEST(bad) { EXPECT(test_seed() == 0); }", "WEIR_TEST_SEED=77")

    def test_filter_and_list(self):
        bad = "TEST(this_fails) { EXPECT(0); }"
        for result in self.run_tests(bad, "passes"):
            self.assertEqual(result.returncode, 0)
        for result in self.run_tests(bad, "--list"):
            self.assertEqual(result.stdout, "this_passes\nthis_fails\n")
        for result in self.run_tests(bad, "nothing"):
            self.assertEqual(result.returncode, 2)


if __name__ == "__main__":
    sys.exit(unittest.main())
