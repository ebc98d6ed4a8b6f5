// node read.cjs LIBRARY FILE...: print the values of the cells of workbooks, of each by sheet and address, as JSON:
// ["n", number], ["s", text] or ["d", day]. Of a formula, what is cached; empty cells are left out.
"use strict";

const decoded = (_, code) => String.fromCharCode(parseInt(code, 16));
const isoDay = (date) => date.toISOString().slice(0, 10);

const libraries = {
  sheetjs(path) {
    const XLSX = require("xlsx");
    const book = XLSX.readFile(path, { cellNF: true, cellFormula: true });
    const valued = ({ t, v, z }) => {
      if (t === "s") return ["s", v];
      if (t !== "n") throw new Error(`a cell of type ${t}: ${v}`);
      if (!XLSX.SSF.is_date(z)) return ["n", v];
      const { y, m, d } = XLSX.SSF.parse_date_code(v);
      return ["d", isoDay(new Date(Date.UTC(y, m - 1, d)))];
    };
    const cells = (sheet) => Object.entries(sheet).filter(([name, cell]) => name[0] !== "!" && cell.t !== "z");
    return book.SheetNames.map((name) => [
      name,
      Object.fromEntries(cells(book.Sheets[name]).map(([address, cell]) => [address, valued(cell)])),
    ]);
  },

  async exceljs(path) {
    const { Workbook } = require("exceljs");
    const book = new Workbook();
    await book.xlsx.readFile(path);
    const plain = ({ value, result }) => {
      if (value === null || typeof value !== "object" || value instanceof Date) return value;
      if ("formula" in value) return result; // of a cell's value it leaves a zero out
      if ("hyperlink" in value) return value.text;
      if ("richText" in value) return value.richText.map((run) => run.text).join("");
      throw new Error(`a cell of ${JSON.stringify(value)}`);
    };
    const valued = (value) => {
      if (value instanceof Date) return ["d", isoDay(value)];
      // Of texts in cells it leaves Excel's escapes as they are written.
      return typeof value === "number" ? ["n", value] : ["s", value.replace(/_x([0-9A-F]{4})_/gi, decoded)];
    };
    return book.worksheets.map((sheet) => {
      const found = {};
      sheet.eachRow((row) =>
        row.eachCell((cell) => {
          if (cell.master === cell) found[cell.address] = valued(plain(cell));
        }),
      );
      return [sheet.name, found];
    });
  },
};

const [library, ...paths] = process.argv.slice(2);
Promise.all(paths.map((path) => libraries[library](path))).then((books) => {
  process.stdout.write(JSON.stringify(books.map((sheets) => Object.fromEntries(sheets))));
});
