// A table for people: a header, aligned columns two spaces apart, no lines. Pure; any thread.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "controlplane/cli/text.h"

namespace warmswap::cli {

struct Cell {
  Cell(const std::string& content, Tone cell_tone = Tone::plain) : text(printable(content)), tone(cell_tone) {}
  Cell(const char* content) : Cell(std::string(content)) {}
  std::string text;
  Tone tone;
};

struct Column {
  std::string title;
  bool numeric = false;  // aligned to the right
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// As many cells as columns.
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  bool empty() const noexcept { return rows_.empty(); }
  /// Each line begins with `indent`; none ends in a space.
  void print(std::ostream& out, bool colour, std::string_view indent = "") const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace warmswap::cli
