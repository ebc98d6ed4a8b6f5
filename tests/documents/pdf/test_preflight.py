"""PDFBox Preflight, which somebody else wrote, over our documents drawn as PDF/A-1b.

Preflight knows part 1 only. Fonts, colors, metadata and content streams are the same in PDF/A-3;
attachments and the structure are not seen here, but by test_pdfa.py. A file that passes both has
not been validated.
"""

import re
import subprocess
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from lxml import etree

from reportgen.documents.pdf.pdf import pdf
from tests.documents import beech, grove

pytestmark = pytest.mark.heavy

JAVA_LIBRARIES = Path("/usr/share/java")
JARS = (
    "preflight",
    "pdfbox2",
    "fontbox2",
    "xmpbox",
    "commons-logging",
    "javax.activation",
    "jaxb-api",
)
TIMEOUT_SECONDS = 120
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

NOISE = (
    "7.3",
    "Error on MetaData, Schema is not set in this document : http://www.aiim.org/pdfa/ns/id/",
)
"""XmpBox sees a schema only where rdf:Description itself declares the namespace.

WeasyPrint declares all of them on rdf:RDF, which means the same in XML; a test below proves that
this is all that the error is about.
"""
DOCUMENTS = [(beech, "R-1.pdf"), (beech, "S-2.pdf"), (beech, "statement.pdf"), (grove, "R-1.pdf")]


def preflight(content: bytes, folder: Path) -> list[tuple[str, str]]:
    """Give the errors that Preflight finds, each by code and sentence."""
    jars = [JAVA_LIBRARIES / f"{name}.jar" for name in JARS]
    if missing := [jar.name for jar in jars if not jar.exists()]:
        pytest.fail(
            f"{', '.join(missing)} not in {JAVA_LIBRARIES} (apt: libpdfbox2-java libjaxb-api-java)"
        )
    file = folder / "document.pdf"
    file.write_bytes(content)
    command = [
        "java",
        "-cp",
        ":".join(map(str, jars)),
        "org.apache.pdfbox.preflight.Validator_A1b",
        "xml",
        str(file),
    ]
    result = subprocess.run(command, capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
    try:
        report = etree.fromstring(result.stdout)
    except etree.XMLSyntaxError:
        pytest.fail(f"Preflight gave no report: {result.stderr.decode()}")
    errors = [
        (error.findtext("code", ""), error.findtext("details", ""))
        for error in report.iter("error")
    ]
    assert (report.findtext("isValid") == "true") is (not errors), result.stdout.decode()
    return errors


def archived(enterprise, path: str) -> bytes:
    """Draw a document as PDF/A-1b."""
    return pdf(
        enterprise.markup(path), enterprise.design().templates["invoice.css"], variant="pdf/a-1b"
    )


@pytest.mark.parametrize(("enterprise", "path"), DOCUMENTS)
def test_preflight_finds_nothing_but_noise(enterprise, path, tmp_path):
    assert [
        error for error in preflight(archived(enterprise, path), tmp_path) if error != NOISE
    ] == []


def test_the_noise_is_about_where_namespaces_are_declared(tmp_path):
    def change(document):
        packet = document.Root.Metadata.read_bytes()
        # Written by itself, each description declares every namespace that is in scope.
        descriptions = b"".join(
            map(etree.tostring, etree.fromstring(packet).iter(f"{{{RDF}}}Description"))
        )
        whole = re.compile(rb"<rdf:RDF[^>]*>.*</rdf:RDF>", re.DOTALL)
        document.Root.Metadata.write(
            whole.sub(
                b'<rdf:RDF xmlns:rdf="' + RDF.encode() + b'">' + descriptions + b"</rdf:RDF>",
                packet,
            )
        )

    assert preflight(changed(change), tmp_path) == []


def test_a_font_that_is_not_embedded_is_found(tmp_path):
    def change(document):
        for found in document.objects:
            if isinstance(found, pikepdf.Dictionary) and "/FontFile2" in found:
                del found["/FontFile2"]

    codes = {code for code, _ in preflight(changed(change), tmp_path)}
    assert any(code.startswith("3.") for code in codes)  # 3: fonts


def changed(change) -> bytes:
    """Draw a document, and change it."""
    with pikepdf.open(BytesIO(archived(beech, "R-1.pdf"))) as document:
        change(document)
        written = BytesIO()
        # Part 1 wants metadata that is not packed.
        document.save(
            written, deterministic_id=True, fix_metadata_version=False, compress_streams=False
        )
    return written.getvalue()
