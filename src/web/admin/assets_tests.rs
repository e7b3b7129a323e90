use super::*;

#[test]
fn a_script_loses_what_only_people_need() {
    for (written, sent) in [
        (
            "  // What it is for.\n  const a = b;\n\n  run();\n",
            "const a=b;run();",
        ),
        (
            "if (a) {\n  return -1;\n}\nelse b ??= c\n",
            "if(a){return-1;}\nelse b??=c\n",
        ),
        (
            "for (const a of b) x = y + +z - -w;\n",
            "for(const a of b)x=y+ +z- -w;",
        ),
        // What is a text stays as it is, and the two signs of a name stay apart.
        (
            "say(\"a  = b, 'c' \\\" d\", `e ${f + g}`);\n",
            "say(\"a  = b, 'c' \\\" d\",`e ${f + g}`);",
        ),
        ("typeof $a in _b\n", "typeof $a in _b\n"),
    ] {
        assert_eq!(compact(written), sent, "{written}");
    }
}
