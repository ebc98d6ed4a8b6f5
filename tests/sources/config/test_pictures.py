"""Logos: what is accepted is drawn as it is, and nothing that would be asked for elsewhere is."""

import struct
import subprocess
import zlib
from base64 import b64encode
from io import BytesIO

import pytest
from PIL import Image, ImageFile

from reportgen.documents.pdf.pdf import pdf
from reportgen.sources.config.pictures import Undrawable, look_at

BLUE, ORANGE = (31, 78, 121), (224, 132, 43)
SIZE = WIDTH, HEIGHT = 40, 12


def halves() -> Image.Image:
    """Draw a picture whose left half is blue, and whose right half is orange."""
    picture = Image.new("RGB", SIZE, BLUE)
    picture.paste(ORANGE, (WIDTH // 2, 0, WIDTH, HEIGHT))
    return picture


def saved(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    target = BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


def png(
    width: int, height: int, depth: int, colors: int, rows: bytes, *, interlaced: bool = False
) -> bytes:
    """Write a PNG of a kind that Pillow does not write."""
    header = struct.pack(">IIBBBBB", width, height, depth, colors, 0, 0, interlaced)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )


def of_16_bits(colors: int, left: tuple[int, ...], right: tuple[int, ...]) -> bytes:
    row = b"".join(
        struct.pack(f">{len(pixel)}H", *(value * 257 for value in pixel)) for pixel in (left, right)
    )
    half = len(row) // 2
    return png(WIDTH, HEIGHT, 16, colors, (b"\0" + row[:half] * 20 + row[half:] * 20) * HEIGHT)


def interlaced() -> bytes:
    """Write the seven passes of Adam7."""
    passes = (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    )
    picture, rows = halves(), b""
    for x, y, across, down in passes:
        for line in range(y, HEIGHT, down):
            rows += b"\0" + b"".join(
                bytes(picture.getpixel((column, line))) for column in range(x, WIDTH, across)
            )
    return png(WIDTH, HEIGHT, 8, 2, rows, interlaced=True)


GREYS = tuple((halves().convert("L").getpixel((x, 5)),) * 3 for x in (5, 35))
KINDS = {
    "rgb": (saved(halves()), BLUE, ORANGE),
    "rgba": (saved(halves().convert("RGBA")), BLUE, ORANGE),
    "palette": (saved(halves().quantize(4)), BLUE, ORANGE),
    "palette with a clear colour": (saved(halves().quantize(4), transparency=3), BLUE, ORANGE),
    "grey": (saved(halves().convert("L")), *GREYS),
    "grey with alpha": (saved(halves().convert("LA")), *GREYS),
    "grey of 2 bits": (
        png(WIDTH, HEIGHT, 2, 0, (b"\0" + b"\x55" * 5 + b"\xaa" * 5) * HEIGHT),
        (85,) * 3,
        (170,) * 3,
    ),
    "one bit": (
        saved(halves().convert("L").point(lambda value: 255 * (value > 100)).convert("1")),
        (0,) * 3,
        (255,) * 3,
    ),
    "rgb of 16 bits": (of_16_bits(2, BLUE, ORANGE), BLUE, ORANGE),
    "rgba of 16 bits": (of_16_bits(6, (*BLUE, 255), (*ORANGE, 255)), BLUE, ORANGE),
    "grey with alpha of 16 bits": (of_16_bits(4, (60, 255), (200, 255)), (60,) * 3, (200,) * 3),
    "interlaced": (interlaced(), BLUE, ORANGE),
    "animated": (
        saved(halves(), save_all=True, append_images=[Image.new("RGB", SIZE)]),
        BLUE,
        ORANGE,
    ),
}


def drawn(content: bytes, media: str = "image/png") -> Image.Image:
    """Draw a picture as a document does, and look at the page."""
    picture = f"<img src='{address(content, media)}' alt='Acme'/>"
    page = f"<html lang='en'><head><title>Logo</title></head><body>{picture}</body></html>"
    css = "@page { size: 40px 12px; margin: 0 } body { margin: 0 }"
    css += "img { display: block; image-rendering: pixelated }"
    command = ["pdftoppm", "-r", "96", "-png", "-"]
    shown = subprocess.run(command, input=pdf(page, css), capture_output=True, check=True).stdout
    return Image.open(BytesIO(shown)).convert("RGB")


def address(content: bytes, media: str) -> str:
    return f"data:{media};base64,{b64encode(content).decode()}"


def svg(inside: str, head: str = "") -> bytes:
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'{head}<svg {spaces} viewBox="0 0 40 12">\n{inside}\n</svg>'.encode()


def why_not(suffix: str, content: bytes) -> str:
    with pytest.raises(Undrawable) as raised:
        look_at(suffix, content)
    assert len(raised.value.message) < 200
    assert raised.value.hint
    return raised.value.message


@pytest.mark.quick(5)
@pytest.mark.parametrize("kind", KINDS)
def test_a_png_that_is_accepted_is_drawn_as_it_is(kind):
    content, left, right = KINDS[kind]
    look_at(".png", content)
    page = drawn(content)
    assert (page.getpixel((5, 5)), page.getpixel((34, 5))) == (left, right)


def test_grey_of_16_bits_would_be_drawn_wrongly():
    content = of_16_bits(0, (60,), (200,))
    assert drawn(content).getpixel((34, 5)) != (200, 200, 200), "it is drawn right now: accept it"
    assert why_not(".png", content) == "is in 16-bit grey, which documents cannot show"


@pytest.mark.parametrize("tolerant", [True, False])
def test_a_cut_off_png_is_noticed_whatever_pillow_passes_over(tolerant, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", tolerant)
    whole = saved(Image.effect_noise((40, 30), 50))
    for end in (20, 60, len(whole) // 2, len(whole) - 14):
        assert "PNG file" in why_not(".png", whole[:end]) or "is damaged" in why_not(
            ".png", whole[:end]
        )


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("side", [2001, 11_000, 40_000])
def test_a_png_of_too_many_pixels_is_not_unpacked(side):
    assert why_not(".png", png(side, side, 8, 2, b"\0")) == "has more than 4,000,000 pixels"


def test_an_svg_with_pictures_of_its_own_is_drawn():
    shapes = svg('<rect id="r" width="20" height="12" fill="#1f4e79"/>')
    for picture, media in (
        (saved(halves()), "image/png"),
        (saved(halves(), "JPEG", quality=100, subsampling=0), "image/jpeg"),
        (shapes, "image/svg+xml"),
    ):
        content = svg(f'<image width="40" height="12" xlink:href="{address(picture, media)}"/>')
        look_at(".svg", content)
        found = drawn(content, "image/svg+xml").getpixel((5, 5))
        assert all(abs(a - b) < 9 for a, b in zip(found, BLUE, strict=True))


@pytest.mark.parametrize(
    "inside",
    [
        (
            '<style>@font-face { font-family: "a\\62 c" } .a { fill: url(#b) }</style>'
            '<a href="#b" class="a"/>'
        ),
        '<rect fill="url( \'#b\' )" style="mask:url(#c); -x: url(data:image/png;base64,AA)"/>',
        '<image href="data:image/svg+xml,%3Csvg%20xmlns=%22http://www.w3.org/2000/svg%22/%3E"/>',
        "<metadata><a xmlns='http://acme.example/' resource='http://purl.example/x'/></metadata>",
        '<text aria-label="ada@acme.example: curl (https)">url</text>',
        "<!-- url(https://acme.example/a.png) @import -->",
    ],
)
def test_what_stays_inside_is_accepted(inside):
    look_at(".svg", svg(inside))


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        (
            '<use href=" https://acme.example/a.svg#b"/>',
            'refers to "https://acme.example/a.svg#b" (href of <use>, line 2)',
        ),
        ('<use xlink:href="a.svg#b"/>', 'refers to "a.svg#b" (href of <use>, line 2)'),
        ('<image id="a"/><image href="#a"/>', 'refers to "#a" (href of <image>, line 2)'),
        (
            '<rect style="fill: u\\72l(//acme.example/a)"/>',
            'refers to "//acme.example/a" (style of <rect>, line 2)',
        ),
        (
            '\n<rect mask="URL( &quot;a.svg#m&quot; )"/>',
            'refers to "a.svg#m" (mask of <rect>, line 3)',
        ),
        (
            "<style>a { b: c }\n@\\69mport 'a.css';</style>",
            "refers to a style sheet (<style>, line 3)",
        ),
        (
            "<style><![CDATA[ @media print { a { fill: url(a) } } ]]></style>",
            'refers to "a" (<style>, line 2)',
        ),
        (
            "<style>@font-face { src: local(a), url(//a/b) }</style>",
            'refers to "//a/b" (<style>, line 2)',
        ),
        ("<?xml-stylesheet href='a.css'?>", "refers to a style sheet (<?xml-stylesheet?>, line 2)"),
    ],
)
def test_what_is_elsewhere_is_refused(inside, message):
    assert why_not(".svg", svg(inside)) == f"{message}, which is not in the file"


@pytest.mark.parametrize(
    ("content", "media", "message"),
    [
        (b"GIF89a", "image/png", "is not a PNG or JPEG file"),
        (b"Acme" * 9999, "text/plain", "is not a PNG or JPEG file"),
        (svg("<script>1</script>"), "image/png", "has <script> (line 2), which no document runs"),
        (
            svg("", "<!DOCTYPE svg>"),
            "image/svg+xml",
            "has <!DOCTYPE> (line 1), which may hold anything",
        ),
        (
            saved(halves().convert("CMYK"), "JPEG"),
            "image/jpeg",
            "is in CMYK, which documents cannot show",
        ),
    ],
)
def test_a_picture_inside_is_looked_at_as_well(content, media, message):
    said = why_not(".svg", svg(f'<image href="{address(content, media)}"/>'))
    assert said == f"holds a picture (href of <image>, line 2) that {message}"
    assert "not base64" in why_not(".svg", svg(f'<image href="data:{media};base64,{"*" * 999}"/>'))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "latin-1"])
def test_a_document_type_is_found_in_any_encoding(encoding):
    name = "utf-16" if encoding.startswith("utf-16") else encoding
    head = f'<?xml version="1.0" encoding="{name}"?>\n<!DOCTYPE svg [<!ENTITY a "b">]>\n'
    content = svg("&a;", head).decode().encode(encoding)
    assert why_not(".svg", content) == "has <!DOCTYPE> (line 2), which may hold anything"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not well-formed: no element found (line 1)"),
        (b"\x00" * 9, "is not well-formed: not well-formed (invalid token) (line 1)"),
        (svg("&nbsp;"), "is not well-formed: undefined entity (line 2)"),
        (
            svg("", '<?xml version="1.0" encoding="klingon"?>'),
            "is in an encoding that is not known",
        ),
        (b"<svg/>", 'is not an SVG file: it begins with "<svg>"'),
    ],
)
def test_what_is_no_svg_is_refused(content, message):
    assert why_not(".svg", content) == message


def holding(inside: str) -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{inside}</svg>'.encode()


@pytest.mark.parametrize(
    "inside",
    [
        '<g id="a"><use href="#a"/></g>',
        '<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>',
        '<path id="a" d="M0 0h1"/>'
        + "".join(
            f'<g id="b{n}">{"<use href=" + repr(f"#b{n - 1}") + "/>"}</g>' for n in range(1, 9)
        )
        + '<use href="#b8"/>',
    ],
    ids=["itself", "each other", "a chain"],
)
def test_drawing_what_draws_again_is_refused(inside):
    with pytest.raises(Undrawable, match="within what another <use> draws"):
        look_at(".svg", holding(inside))


def test_what_is_drawn_twice_is_accepted():
    path = '<defs><path id="a" d="M0 0h1v1z"/></defs>'
    look_at(".svg", holding(f'{path}<g id="b"><use href="#a"/><use href="#a" x="3"/></g>'))
