// SPDX-License-Identifier: Apache-2.0
#include "edge/minify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "edge/script_items.h"

namespace tintype {
namespace {

Result<std::string> short_of(const std::string& text) {
  const ScriptFile files[] = {{"core.js", text}};
  const std::string roots[] = {"handler"};
  return minify(files, roots);
}

// The body of `function handler(event) {…}` shortened; the parameter is called a.
std::string body(const std::string& statements) {
  auto out = short_of("function handler(event) {" + statements + "}");
  if (!out) return "failed: " + out.error().detail;
  const std::string head = "function handler(a){";
  EXPECT_TRUE(out->starts_with(head)) << *out;
  return out->substr(head.size(), out->size() - head.size() - 1);
}

std::string fault(const std::string& text) {
  auto out = short_of(text);
  return out ? "no fault: " + *out : out.error().detail;
}

TEST(Minify, DropsCommentsAndWhiteSpace) {
  EXPECT_EQ(body("// one\n  return /* two\n */ event ; // }\n"), "return a");
}

TEST(Minify, KeepsASpaceOnlyWhereTwoTokensWouldJoin) {
  EXPECT_EQ(body("return typeof event;"), "return typeof a");
  EXPECT_EQ(body("return 'x' in event;"), "return'x'in a");
  EXPECT_EQ(body("return event + +event - -event + ++event.n - --event.n;"),
            "return a+ +a- -a+ ++a.n- --a.n");
  EXPECT_EQ(body("return 5 .toString();"), "return 5 .toString()");
  EXPECT_EQ(body("return event < !event;"), "return a< !a");
}

TEST(Minify, TellsRegularExpressionsFromDivisions) {
  EXPECT_EQ(body("return/x y/.test(event);"), "return/x y/.test(a)");
  EXPECT_EQ(body("return (event.a) / event.b / event.c;"), "return(a.a)/a.b/a.c");
  EXPECT_EQ(body("return event[0] / 2 / event.length;"), "return a[0]/2/a.length");
  EXPECT_EQ(body("if (event) /a b/.exec(event.x);"), "a&&/a b/.exec(a.x)");
  EXPECT_EQ(body("return event.n++ / 2 / 3;"), "return a.n++/2/3");
  EXPECT_EQ(body("return event.a / /a/.exec(event);"), "return a.a/ /a/.exec(a)");
  EXPECT_EQ(body("return event.replace(/[/'\"]\\//g, '');"), "return a.replace(/[/'\"]\\//g,'')");
}

TEST(Minify, LeavesTextsAlone) {
  EXPECT_EQ(body("return event('// no  comment', \"/* it's */\", 'a\\'b  ');"),
            "return a('// no  comment',\"/* it's */\",'a\\'b  ')");
}

TEST(Minify, RenamesNamesAndNeitherPropertiesNorKeys) {
  EXPECT_EQ(body("const width = event.width; return {width: width, 'a b': event};"),
            "let b=a.width;return{width:b,'a b':a}");
  EXPECT_EQ(body("const no = event.no; return event ? no : {no: no};"),
            "let b=a.no;return a?b:{no:b}");
  EXPECT_EQ(body("const list = [event ? event : 1, 2]; return list;"), "let b=[a?a:1,2];return b");
}

TEST(Minify, GivesTheMostUsedNamesTheShortest) {
  std::string text = "function handler(event) { return ";
  std::string functions;
  for (int i = 0; i < 60; ++i) {
    std::string name = "part" + std::to_string(i);
    functions +=
        "function " + name + "(one) { for (;;) { if (one) return " + std::to_string(i) + "; } }\n";
    text += (i > 0 ? " + " : "") + name + "(event)";
  }
  text += " + part59(1) + part59(2); }";
  auto out = short_of(functions + text);
  ASSERT_TRUE(out) << out.error().detail;
  EXPECT_NE(out->find("+a(1)+a(2)"), std::string::npos) << *out;
}

TEST(Minify, NeverGivesALocalTheNameOfWhatItsFunctionCalls) {
  auto out = short_of(
      "function twice(number) { const half = number; for (;;) return half; }\n"
      "function handler(event) { const number = twice(event); const more = twice(number);\n"
      "  return twice(more) + number; }");
  ASSERT_TRUE(out) << out.error().detail;
  EXPECT_EQ(*out,
            "const a=b=>{let a=b;for(;;)return a};"
            "function handler(c){let b=a(c),d=a(b);return a(d)+b}");
}

TEST(Minify, KeepsTheEnginesNames) {
  EXPECT_EQ(body("const Mathematics = Math.floor(event); return Mathematics + event;"),
            "let b=Math.floor(a);return b+a");
}

TEST(Minify, DropsWhatNoRootReaches) {
  auto out = short_of(
      "const USED = [1, 2];\nconst UNUSED = [3];\n"
      "function unused() { return UNUSED; }\nfunction used() { return USED; }\n"
      "function handler(event) { return used() + event.unused; }");
  ASSERT_TRUE(out) << out.error().detail;
  EXPECT_EQ(*out, "const a=[1,2],b=()=>a;function handler(a){return b()+a.unused}");
}

TEST(Minify, MakesFewerStatements) {
  EXPECT_EQ(body("let a = 1; const b = 2; return event(a, b, event);"),
            "let b=1,c=2;return a(b,c,a)");
  EXPECT_EQ(body("if (event.a) { event.b(); }"), "a.a&&a.b()");
  EXPECT_EQ(body("if (!event.a) { event.b(); }"), "a.a||a.b()");
  EXPECT_EQ(body("if (!event.a.b(1)[2]) event.c();"), "a.a.b(1)[2]||a.c()");
  EXPECT_EQ(body("if (!event.a && event.b) event.c();"), "!a.a&&a.b&&a.c()");
  EXPECT_EQ(body("if (event.a || event.b) event.c = 1;"), "if(a.a||a.b)a.c=1");
  EXPECT_EQ(body("if (event.a) return 1; return 2;"), "return a.a?1:2");
  EXPECT_EQ(body("if (event.a) return 1; event.b(); return 2;"), "return a.a?1:(a.b(),2)");
  EXPECT_EQ(body("if (event.a = event.b) { event.c = 1; } else { event.c = 2; }"),
            "(a.a=a.b)?a.c=1:a.c=2");
  EXPECT_EQ(body("if (event.a) { if (event.b || event.c) event.d(); }"), "a.a&&(a.b||a.c)&&a.d()");
  EXPECT_EQ(body("if (event.a) throw 1; if (event.b) throw 1; event();"),
            "if(a.a||a.b)throw 1;a()");
  EXPECT_EQ(body("return true ? false : undefined;"), "return!0?!1:void 0");
  EXPECT_EQ(body("return [10000, 100, 16383, 0.1000];"), "return[1e4,100,16383,0.1000]");
}

TEST(Minify, NeverLetsAnElseMove) {
  EXPECT_EQ(body("if (event.a) { if (event.b) throw 1; } else { throw 2; }"),
            "if(a.a){if(a.b)throw 1}else throw 2");
  EXPECT_EQ(body("if (event.a) { for (;;) if (event.b) throw 1; } else { throw 2; }"),
            "if(a.a){for(;;)if(a.b)throw 1}else throw 2");
  EXPECT_EQ(body("while (event()) {} return 1;"), "while(a());return 1");
  EXPECT_EQ(body("while (event()) {}"), "while(a());");
}

TEST(Minify, MakesArrowsOfFunctions) {
  auto out = short_of(
      "function leaves(one) { if (!one) return; handler(one); }\n"
      "function makes(one) { const two = one.two; return {two: two + two}; }\n"
      "function handler(event) { leaves(makes(event)); event.forEach((one) => { one.a = 1; });\n"
      "  return event.map(function (one) { return one; }).filter((one) => { return one.a; }); }");
  ASSERT_TRUE(out) << out.error().detail;
  EXPECT_EQ(*out,
            "const b=(b,a)=>(a=b.two,{two:a+a}),a=a=>{a&&handler(a)};"
            "function handler(d){return a(b(d)),d.forEach(c=>c.a=1),"
            "d.map(function(c){return c}).filter(c=>c.a)}");
}

TEST(Minify, MovesWhatIsCalledOnceToItsCall) {
  auto of = [](const std::string& functions) {
    auto out = short_of(functions + "function handler(event) { return more(event) + more(1); }");
    return out ? *out : out.error().detail;
  };
  // A name takes the parameter's place, anything else is assigned to it.
  EXPECT_EQ(of("function once(one, two) { return one.a + two + two; }\n"
               "function more(some) { return !once(some, some.b); }\n"),
            "const a=(b,a)=>!(a=b.b,b.a+a+a);function handler(b){return a(b)+a(1)}");
  // What is not given is undefined, and not what the caller's caller gave.
  EXPECT_EQ(of("function once(one, two) { return two || one.a; }\n"
               "function more(some) { return some.map((each) => [once(each)]); }\n"),
            "const a=c=>c.map((b,a)=>[(a=void 0,a||b.a)]);function handler(b){return a(b)+a(1)}");
  // njs loses arguments of functions with many parameters.
  EXPECT_THAT(
      of("function once(one) { let a1 = one.a, a2 = a1, a3 = a2, a4 = a3, a5 = a4, a6 = a5;\n"
         "let a7 = a6, a8 = a7, a9 = a8; return a9; }\n"
         "function more(some) { let b1 = some.b, b2 = b1, b3 = b2; return once(b3); }\n"),
      testing::HasSubstr("const b="));
  // Inside a loop, or where a name would mean something else, it stays.
  EXPECT_EQ(of("function once(one) { return one.a; }\n"
               "function more(some) { for (;;) once(some); }\n"),
            "const b=a=>a.a,a=a=>{for(;;)b(a)};function handler(b){return a(b)+a(1)}");
  EXPECT_EQ(of("const LONG = [1];\nfunction once(one) { return one + LONG + LONG.a; }\n"
               "function more(LONG) { return once(LONG.b); }\n"),
            "const a=[1],c=b=>b+a+a.a,b=a=>c(a.b);function handler(a){return b(a)+b(1)}");
}

TEST(Minify, SharesWhatStandsOften) {
  std::string calls;
  for (int i = 0; i < 6; ++i) calls += "event('some text', null, event.length, undefined);";
  EXPECT_EQ(short_of("function handler(event) {" + calls + "}").value(),
            "const a='length',b='some text',c=null,d=void 0;function handler(e){"
            "e(b,c,e[a],d),e(b,c,e[a],d),e(b,c,e[a],d),e(b,c,e[a],d),e(b,c,e[a],d),e(b,c,e[a],d)}");
}

TEST(Minify, RefusesWhatTheContractForbids) {
  EXPECT_EQ(fault("\nconst A = `x`;"),
            "core.js:2: template literals are not in the edge function's language");
  EXPECT_EQ(fault("const A = 'x\n';"), "core.js:1: a text is never closed");
  EXPECT_EQ(fault("const A = /x\n/;"), "core.js:1: a regular expression is never closed");
  EXPECT_EQ(fault("/* x"), "core.js:1: a comment is never closed");
  EXPECT_EQ(fault("function handler(a) { return (a; }"), "core.js:1: '}' closes nothing");
  EXPECT_EQ(fault("function handler(a) { return a;"), "core.js:1: '{' is never closed");
  EXPECT_EQ(fault("function handler(a) { switch (a) {} }"),
            "core.js:1: 'switch' is not in the edge function's language");
  EXPECT_EQ(fault("function handler(a) { return a?.b; }"),
            "core.js:1: '?.' is not in the edge function's language");
  EXPECT_EQ(fault("function handler(a) {\n return {a}; }"),
            "core.js:2: a key without a value: write {a: a}");
  EXPECT_EQ(fault("function handler(a) { return a\n}"),
            "core.js:1: a statement does not end with ';'");
  EXPECT_EQ(fault("function handler(a) {\n a()\n a(); }"),
            "core.js:2: a statement does not end with ';'");
  EXPECT_EQ(fault("function handler(a) { const f = () => {}\n return f; }"),
            "core.js:2: a ';' is missing before 'return'");
  EXPECT_EQ(
      fault("let a = 1;"),
      "core.js:1: only 'function name(…) {…}' and 'const NAME = …;' may stand at the top of a "
      "file");
  EXPECT_EQ(fault("function handler(a) { try { a(); } catch { a(); } }"),
            "core.js:1: 'catch' without a name is not in the edge function's language");
  EXPECT_EQ(fault("function a() {}\nfunction a() {}\nfunction handler() {}"),
            "core.js:2: a is the name of a function or constant of core.js already");
}

TEST(Minify, RefusesNamesThatCouldMeanEither) {
  EXPECT_EQ(fault("function a() { for (;;) a(); }\n"
                  "function handler(b) { a();\n for (;;) { const a = b; b(a); } }"),
            "core.js:3: a is also the name of a function or constant");
  // In the whole of a function there is no doubt.
  EXPECT_TRUE(
      short_of("function a() { return 1; }\n"
               "function b(a) { return a; }\nfunction handler() { return b(a()); }"));
}

TEST(Gather, KeepsTextAndCommentsOfWhatIsNeeded) {
  const ScriptFile files[] = {
      {"a.js",
       "// SPDX-License-Identifier: Apache-2.0\n// About a.\n\n// One.\nfunction one() {\n"
       "  return 1;  // 1\n}\n\n// Two.\nfunction two() {\n  return 2;\n}\n"},
      {"b.js", "// Three.\nconst THREE = 3;\n"}};
  const std::string roots[] = {"two", "THREE"};
  EXPECT_EQ(gather_script(files, roots).value(),
            "// Three.\nconst THREE = 3;\n\n// Two.\nfunction two() {\n  return 2;\n}\n");
}

}  // namespace
}  // namespace tintype
