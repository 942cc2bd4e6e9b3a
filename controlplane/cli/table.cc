#include "controlplane/cli/table.h"

#include <algorithm>

namespace warmswap::cli {

void Table::print(std::ostream& out, bool colour, std::string_view indent) const {
  std::vector<Cell> header;
  for (const Column& column : columns_) header.emplace_back(column.title, Tone::faint);
  std::vector<size_t> widths;
  for (size_t i = 0; i < columns_.size(); ++i) {
    size_t width = display_width(header[i].text);
    for (const auto& row : rows_) width = std::max(width, display_width(row[i].text));
    widths.push_back(width);
  }
  const auto print_row = [&](const std::vector<Cell>& row) {
    std::string line(indent);
    std::string gap;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - display_width(row[i].text), ' ');
      if (columns_[i].numeric) gap += padding;
      if (!row[i].text.empty()) {
        line += gap + paint(row[i].text, row[i].tone, colour);
        gap.clear();
      }
      if (!columns_[i].numeric) gap += padding;
      gap += "  ";
    }
    out << line << '\n';
  };
  print_row(header);
  for (const auto& row : rows_) print_row(row);
}

}  // namespace warmswap::cli
