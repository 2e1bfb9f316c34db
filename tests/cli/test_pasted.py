"""pasted: the bytes of one frame, as the programs of many people write them."""

import contextlib
import shutil
import subprocess
import tracemalloc

import pytest

from wslab.cli.pasted import NotBytes, read_pasted

FRAME = b"\x81\x05Hello"
LONG = bytes(range(40, 40 + 37))

FORMS = {
    "plain": "810548656c6c6f",
    "blanks": "81 05 48 65 6c 6c 6f",
    "upper": "81 05 48 65 6C 6C 6F",
    "words": "8105 4865 6c6c 6f",
    "lines": "81 05 48\n65 6c 6c 6f\n",
    "0x each": "0x81 0x05 0x48 0x65 0x6c 0x6c 0x6f",
    "0x each, commas": "0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f",
    "0x each, short": "0x81,0x5,0x48,0x65,0x6c,0x6c,0x6f,",
    "0x once": "0x810548656c6c6f",
    "commas": "81,05,48,65,6c,6c,6f",
    "commas and blanks": "81, 05, 48, 65, 6c, 6c, 6f",
    "colons": "81:05:48:65:6c:6c:6f",
    "dashes": "81-05-48-65-6C-6C-6F",
    "escapes": r"\x81\x05\x48\x65\x6c\x6c\x6f",
    "escapes and letters": r"\x81\x05Hello",
    "Python": r"b'\x81\x05Hello'",
    "Python, double quotes": r'b"\x81\x05Hello"',
    "a bytearray": r"bytearray(b'\x81\x05Hello')",
    "C": r'"\x81\x05" "Hello"',
    "octal without quotes": r"\201\005Hello",
    "octal": r'"\201\005Hello"',
    "JSON": r'"\u0081\u0005Hello"',
    "a list": "[129, 5, 72, 101, 108, 108, 111]",
    "a list on lines": "[\n  129, 5, 72,\n  101, 108, 108, 111,\n]",
    "decimals": "129,5,72,101,108,108,111",
    "decimals and blanks": "129 5 72 101 108 108 111",
    "an array of C": "{0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f}",
    "an array of C with its name": "{ 0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f };",
    "JavaScript": "new Uint8Array([129, 5, 72, 101, 108, 108, 111])",
    "a console": "Uint8Array(7) [129, 5, 72, 101, 108, 108, 111]",
    "Node": "<Buffer 81 05 48 65 6c 6c 6f>",
    "Go": "[]byte{0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f}",
    "an array of Wireshark": "char peer0_0[] = { /* Packet 4 */\n0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f };\n",
    "a declaration": r'static const char *frame = "\x81\x05Hello";',
    "a size in it": "uint8_t frame[7] = {0x81, 5, 0x48, 0x65, 0x6c, 0x6c, 0x6f};",
    "xxd -i": "unsigned char f[] = {\n  0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f\n};\nunsigned int f_len = 7;\n",
    "a name in JavaScript": "const frame = new Uint8Array([129, 5, 72, 101, 108, 108, 111]);",
    "a name in Python": r"frame = b'\x81\x05Hello'",
    "bytes.fromhex": "bytes.fromhex('81 05 48 65 6c 6c 6f')",
    "Buffer.from": 'Buffer.from("810548656c6c6f", "hex");',
    "bits": "0b10000001 0b0000_0101 0b1001000 0b01100101 0b01101100 0b01101100 0b01101111",
    "Java": "byte[] frame = {(byte) 0x81, 5, 72, 101, 108, 108, 111};",
    "signed": "[-127, 5, 72, 101, 108, 108, 111]",
    "Erlang": "<<129,5,72,101,108,108,111>>",
    "Wireshark": "0000   81 05 48 65 6c 6c 6f                              ..Hello",
    "xxd": "00000000: 8105 4865 6c6c 6f                        ..Hello",
    "hexdump -C": "00000000  81 05 48 65 6c 6c 6f                              |..Hello|\n00000007\n",
    "od": "0000000 81 05 48 65 6c 6c 6f\n0000007\n",
    "hexdump": "0000000 0581 6548 6c6c 006f                    \n0000007",
    "hexdump, its line alone": "0000000 0581 6548 6c6c 006f\n0000007\n",
    "tcpdump": "\t0x0000:  8105 4865 6c6c 6f                        ..Hello",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_each_form_is_the_same_frame(text):
    assert read_pasted(text) == FRAME


DUMPS = {
    "Wireshark": """
0000   28 29 2a 2b 2c 2d 2e 2f  30 31 32 33 34 35 36 37   ()*+,-./01234567
0010   38 39 3a 3b 3c 3d 3e 3f  40 41 42 43 44 45 46 47   89:;<=>?@ABCDEFG
0020   48 49 4a 4b 4c                                     HIJKL
""",
    "without its characters": """
0000   28 29 2a 2b 2c 2d 2e 2f 30 31 32 33 34 35 36 37
0010   38 39 3a 3b 3c 3d 3e 3f 40 41 42 43 44 45 46 47
0020   48 49 4a 4b 4c
""",
    "xxd": """
00000000: 2829 2a2b 2c2d 2e2f 3031 3233 3435 3637  ()*+,-./01234567
00000010: 3839 3a3b 3c3d 3e3f 4041 4243 4445 4647  89:;<=>?@ABCDEFG
00000020: 4849 4a4b 4c                             HIJKL
""",
    "hexdump -C": """
00000000  28 29 2a 2b 2c 2d 2e 2f  30 31 32 33 34 35 36 37  |()*+,-./01234567|
00000010  38 39 3a 3b 3c 3d 3e 3f  40 41 42 43 44 45 46 47  |89:;<=>?@ABCDEFG|
00000020  48 49 4a 4b 4c                                    |HIJKL|
00000025
""",
    "tcpdump -X": """
\t0x0000:  2829 2a2b 2c2d 2e2f 3031 3233 3435 3637  ()*+,-./01234567
\t0x0010:  3839 3a3b 3c3d 3e3f 4041 4243 4445 4647  89:;<=>?@ABCDEFG
\t0x0020:  4849 4a4b 4c                             HIJKL
""",
    "a part of a dump": """
00000040: 2829 2a2b 2c2d 2e2f 3031 3233 3435 3637  ()*+,-./01234567
00000050: 3839 3a3b 3c3d 3e3f 4041 4243 4445 4647  89:;<=>?@ABCDEFG
00000060: 4849 4a4b 4c                             HIJKL
""",
}


@pytest.mark.parametrize("text", DUMPS.values(), ids=DUMPS.keys())
def test_the_lines_of_a_dump_are_joined(text):
    assert read_pasted(text) == LONG


def test_characters_that_look_like_hex_are_no_bytes():
    text = "0000   61 62 63 64 65 66 30 31  32 33 34 35 36 37 38 39   abcdef0123456789"
    assert read_pasted(text) == b"abcdef0123456789"


REPEATING = [bytes(64), bytes(70), b"ab" + bytes(62) + b"c" * 48 + b"d", b"0123456789abcdef" * 9]


@pytest.mark.parametrize("command", ["xxd", "xxd -a", "hexdump", "hexdump -C", "od -A x -t x1", "od -A x -t x1 -v"])
@pytest.mark.parametrize("data", [b"a", b"abcdefghijklmnop", LONG, bytes(range(256)), *REPEATING], ids=len)
def test_what_these_programs_print_is_read(command, data):
    name, *options = command.split()
    if shutil.which(name) is None:
        pytest.skip(f"needs {name}")
    printed = subprocess.run([name, *options], input=data, capture_output=True, check=True).stdout.decode()
    assert read_pasted(printed) == data


@pytest.mark.parametrize(
    "text", ["Hello", "8", "81 0", "0xzz", "[300]", "[129, -5]", "b'\\u4e2d'", "'☃'", "\\x8", "{81, zz}", "0x812"]
)
def test_what_is_no_bytes_is_a_valueerror(text):
    with pytest.raises(ValueError, match=r"."):
        read_pasted(text)


def test_four_zeros_before_more_hex_are_bytes():
    assert read_pasted("0000 4865") == b"\0\0He"


@pytest.mark.parametrize(
    "text",
    [
        "*\n00000010  61 62",  # nothing is repeated
        "00000000  61 62 63 64 65 66 67 68  61 62 63 64 65 66 67 68\n*\n00000018",  # half a line
        "00000000  61 62 63 64 65 66 67 68  61 62 63 64 65 66 67 68\n*\n40000000",  # a gigabyte
    ],
)
def test_repeated_lines_that_cannot_be_meant_are_a_valueerror(text):
    with pytest.raises(ValueError, match=r"."):
        read_pasted(text)


def test_a_dump_with_a_gap_is_a_valueerror():
    with pytest.raises(ValueError, match=r"."):
        read_pasted("0000  81 05 48\n0010  65 6c\n")


def test_all_repeated_lines_together_have_a_bound():
    stars = "".join(f"{start:08x}  {'61 ' * 16}\n*\n" for start in range(0, 2**26, 2**22))
    with pytest.raises(NotBytes, match=r"^a hex dump of more than 16,777,216 bytes, in which lines are repeated$"):
        read_pasted(stars)


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "text",
    [
        *("[" + " " * 50_000 + "1", "(" * 50_000, "a " * 25_000 + "[1", "'" + "a" * 50_000, "\\x61" * 12_000 + "'"),
        *("a = " + "/* " * 70_000, "a = 1" + " " * 100_000 + "b", "a = " + ";" * 100_000 + "b"),
    ],
)
def test_a_long_text_takes_little_memory_and_no_time(text):
    tracemalloc.start()
    try:
        with contextlib.suppress(ValueError):
            read_pasted(text)
        assert tracemalloc.get_traced_memory()[1] < 30 * len(text)
    finally:
        tracemalloc.stop()
