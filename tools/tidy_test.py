#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants mistakes in a small project and asks whether tidy names each: file, line and rule; and
that it says nothing about a clean one."""
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import unittest

TIDY = pathlib.Path(__file__).resolve().parent / "tidy"
LICENCE = "// SPDX-License-Identifier: Apache-2.0\n"
HEADER = LICENCE + "// Things: what they are.\n#pragma once\n\n"
LAYERS = "layer(base USES asio)\nlayer(image base)\nlayer(plan base image)\nlayer(server base)\n"


class TidyTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("src/CMakeLists.txt", LAYERS)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def run_tidy(self):
        done = subprocess.run([sys.executable, str(TIDY), str(self.root)], text=True,
                              capture_output=True, check=False)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    def expect(self, name, line, rule):
        code, out = self.run_tidy()
        self.assertIn(f"{name}:{line}: [{rule}]", out)
        self.assertEqual(out.count(": ["), 1, "one mistake was planted, but tidy says:\n" + out)
        self.assertEqual(code, 1)

    def expect_silence(self):
        code, out = self.run_tidy()
        self.assertEqual(code, 0, out)
        self.assertNotIn(": [", out)

    def test_clean_project(self):
        self.write("src/base/a.h", HEADER + "namespace tintype {\nint a();\n}\n")
        self.write("src/plan/p.cc", LICENCE + '#include <sys/stat.h>\n\n#include <vector>\n\n'
                   '#include "base/a.h"\n#include "plan/p.h"\n')
        self.expect_silence()

    def test_include_against_the_direction(self):
        self.write("src/image/i.cc", LICENCE + '#include "plan/plan.h"\n')
        self.expect("src/image/i.cc", 2, "include-direction")

    def test_include_of_a_layer_only_reached_through_another(self):
        self.write("src/server/s.cc", LICENCE + '#include "image/size.h"\n')
        self.expect("src/server/s.cc", 2, "include-direction")

    def test_include_that_does_not_start_at_src(self):
        self.write("src/plan/p.cc", LICENCE + '#include "geometry.h"\n')
        self.expect("src/plan/p.cc", 2, "include-path")

    def test_folder_without_a_layer_line(self):
        self.write("src/extra/e.cc", LICENCE + '#include "base/a.h"\n')
        self.expect("src/extra/e.cc", 2, "include-direction")

    def test_cycle_between_layers(self):
        self.write("src/CMakeLists.txt", "layer(base plan)\nlayer(plan base)\n")
        self.expect("src/CMakeLists.txt", 1, "layer-order")

    def test_layer_over_several_lines(self):
        self.write("src/CMakeLists.txt", LAYERS + "layer(cli base image\n      plan USES json\n"
                   "      FUZZ_SOURCES base/a.cc)\n")
        self.write("src/cli/c.cc", LICENCE + '#include "plan/plan.h"\n')
        self.expect_silence()
        self.write("src/cli/c.cc", LICENCE + '#include "server/s.h"\n')
        self.expect("src/cli/c.cc", 2, "include-direction")

    def test_no_layers_at_all(self):
        self.write("src/CMakeLists.txt", "\n")
        self.expect("src/CMakeLists.txt", 1, "layer-order")

    def test_foreign_header_outside_its_owner(self):
        self.write("src/plan/p.cc", LICENCE + "#include <vips/vips8>\n")
        self.expect("src/plan/p.cc", 2, "foreign-header")

    def test_foreign_header_nobody_owns(self):
        self.write("src/plan/p.cc", LICENCE + "#include <boost/any.hpp>\n")
        self.expect("src/plan/p.cc", 2, "foreign-header")

    def test_asio_is_for_the_loops(self):
        self.write("src/server/s.cc", LICENCE + "#include <asio/ip/tcp.hpp>\n")
        self.expect_silence()
        self.write("src/plan/p.cc", LICENCE + "#include <asio/post.hpp>\n")
        self.expect("src/plan/p.cc", 2, "foreign-header")

    def test_test_frameworks_are_for_tests(self):
        self.write("src/plan/p_test.cc", LICENCE + "#include <gtest/gtest.h>\n")
        self.expect_silence()
        self.write("src/plan/p.cc", LICENCE + "#include <gtest/gtest.h>\n")
        self.expect("src/plan/p.cc", 2, "foreign-header")

    def test_include_in_a_comment_is_none(self):
        self.write("src/image/i.cc", LICENCE + '// #include "plan/plan.h"\n')
        self.expect_silence()

    def test_function_of_71_lines(self):
        body = "  x();\n" * 69
        self.write("src/base/a.cc",
                   LICENCE + "namespace t {\n\nvoid f(int a) {\n" + body + "}\n}\n")
        self.expect("src/base/a.cc", 4, "function-length")

    def test_function_of_70_lines_and_big_types(self):
        body = "  x();\n" * 68
        fields = "".join(f"  int field_{i} = 0;\n" for i in range(90))
        self.write("src/base/a.cc", LICENCE + "void f(int a) {\n" + body + "}\n"
                   "struct S {\n" + fields + "};\nnamespace t {\n" + "int g();\n" * 80 + "}\n")
        self.expect_silence()

    def test_constructor_with_member_list_counts_whole(self):
        body = "  x();\n" * 69
        self.write("src/base/a.cc", LICENCE + "A::A(int a)\n    : a_{a},\n      b_{1} {\n" + body
                   + "}\n")
        self.expect("src/base/a.cc", 2, "function-length")

    def test_long_lambda_counts_to_its_function(self):
        body = "    x();\n" * 70
        self.write("src/base/a.cc", LICENCE + "int f() {\n  auto g = [] {\n" + body + "  };\n}\n")
        self.expect("src/base/a.cc", 2, "function-length")

    def test_braces_in_literals_and_comments_do_not_count(self):
        self.write("src/base/a.cc", LICENCE + textwrap.dedent('''\
            int f() {
              char open = '{';  // {
              const char* text = "{\\"{" R"x({{)x";
              return 10'000 /* { */;
            }
            '''.replace('" R"', '";\n  const char* raw = R"')) + "int g() { return 1; }\n" * 80)
        self.expect_silence()

    def test_long_python_function(self):
        self.write("tools/a.py",
                   "# SPDX-License-Identifier: Apache-2.0\ndef f():\n" + "    x()\n" * 70)
        self.expect("tools/a.py", 2, "function-length")

    def test_file_of_501_lines(self):
        self.write("src/base/a.cc", LICENCE + "int a();\n" * 500)
        self.expect("src/base/a.cc", 501, "file-length")

    def test_line_of_101_characters(self):
        self.write("src/base/a.cc", LICENCE + "//" + "é" * 98 + "\n//" + "é" * 99 + "\n")
        self.expect("src/base/a.cc", 3, "line-length")

    def test_missing_licence(self):
        self.write("src/base/a.cc", "int a();\n")
        self.expect("src/base/a.cc", 1, "licence")

    def test_long_header_without_prose(self):
        self.write("src/base/a.h", HEADER + "int a();\n" * 40)
        self.expect("src/base/a.h", 2, "header-prose")

    def test_header_without_pragma_once(self):
        self.write("src/base/a.h", LICENCE + "// A thing.\nint a();\n")
        self.expect("src/base/a.h", 1, "pragma-once")

    def test_bare_to_do(self):
        self.write("src/base/a.cc", LICENCE + "// TO" + "DO(#12): allowed\n// TO" + "DO: not\n")
        self.expect("src/base/a.cc", 3, "bare-to-do")

    def test_conditional_code(self):
        self.write("src/base/a_simd.cc", LICENCE + "#ifdef __AVX2__\n#endif\n")
        self.write("src/base/b.cc", LICENCE + "#if defined(__SANITIZE_ADDRESS__)\n#endif\n")
        self.expect_silence()
        self.write("src/base/a.cc", LICENCE + "#ifdef __linux__\n#endif\n")
        self.expect("src/base/a.cc", 2, "ifdef")

    def test_banned_word_in_a_type(self):
        self.write("src/base/a.cc", LICENCE + "class CacheManager;\nclass Implement;\n")
        self.expect("src/base/a.cc", 2, "banned-word")

    def test_one_name_for_two_types(self):
        for place in ("src/base/a.h", "src/plan/b.h"):
            self.write(place, HEADER + "namespace tintype {\nstruct Verdict {\n  int a;\n};\n}\n")
        self.expect("src/plan/b.h", 6, "one-definition")

    def test_types_that_only_look_alike(self):
        self.write("src/base/a.h", HEADER + "namespace tintype {\nstruct Verdict {\n  int a;\n};\n"
                   "class Other {\n  struct State { int b; };\n};\n}\n")
        self.write("src/plan/b.h", HEADER + "namespace tintype {\nstruct Verdict;\nclass Third {\n"
                   "  struct State { int b; };\n};\nnamespace detail {\nstruct Other {};\n}\n}\n")
        self.write("src/plan/c.cc", LICENCE + "namespace tintype {\nnamespace {\n"
                   "struct Verdict {};\n}\nstruct Third::Fourth {};\n"
                   "struct Verdict f() { return {}; }\n}\n")
        self.expect_silence()

    def test_control_character(self):
        self.write("docs/a.md", "fine\nbell \x07\n")
        self.expect("docs/a.md", 2, "control-character")

    def test_invisible_direction_change(self):
        self.write("src/base/a.cc", LICENCE + "// \u202e\n")
        self.expect("src/base/a.cc", 2, "control-character")

    def test_machine_path(self):
        self.write("docs/a.md", "see /ho" + "me/ada/pictures\n")
        self.expect("docs/a.md", 1, "machine-path")

    def test_not_utf8(self):
        self.write("docs/a.md", b"caf\xe9\n")
        self.expect("docs/a.md", 1, "encoding")

    def test_many_parameters_only_warn(self):
        self.write("src/base/a.cc", LICENCE + "int f(int a, M<int, int> b, int c, V d) { g(); }\n")
        self.expect_silence()
        self.write("src/base/a.cc", LICENCE + "int f(int a, int b, int c, int d, int e) { g(); }\n")
        code, out = self.run_tidy()
        self.assertIn("src/base/a.cc:2: warning: [parameters]", out)
        self.assertEqual(code, 0)

    def test_binary_files_are_left_alone(self):
        self.write("samples/a.jpg", bytes(range(256)))
        self.expect_silence()

    def test_build_output_is_left_alone(self):
        self.write("build/x/a.cc", "int a();\n")
        self.expect_silence()


if __name__ == "__main__":
    unittest.main()
