// Tables as CSV (RFC 4180 with LF): the modelled columns in schema order, under their names.
//
// Integers have no point; continuous numbers have `decimals` digits where the schema states them (special values of
// more digits are written as stated), else the shortest text that gives the same 32-bit float; dates are "2024-01-31",
// or "2024-01-31T12:00:00Z" where the column holds seconds; categories are verbatim; missing cells are empty. Every
// cell that is written loads again under the same schema. A full disk is an error.
#pragma once

#include <cstdio>
#include <string>

#include "common/core/result.h"
#include "common/data/table.h"

namespace synod {

// Writes a table in pieces. Finish() must be called: what is written before it may still be in memory.
class CsvWriter {
 public:
  // `out` stays the caller's; `name` is for the errors.
  CsvWriter(std::FILE* out, std::string name) : out_(out), name_(std::move(name)) {}

  Status Header(const Schema& schema);
  Status Rows(const Table& table);
  Status Finish();

 private:
  Status Flush();
  std::FILE* out_;
  std::string name_;
  std::string buffer_;
};

// Header and rows to a new file: whole, or not there. A device such as /dev/stdout is written in place.
Status WriteTable(const std::string& path, const Table& table);
// Header and rows to an open file.
Status WriteTable(std::FILE* out, const std::string& name, const Table& table);

}  // namespace synod
