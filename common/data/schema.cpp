#include "common/data/schema.h"

#include <fmt/format.h>

#include "common/crypto/sha256.h"
#include "common/data/schema_checks.h"
#include "common/data/utf8.h"

namespace synod {

Result<Schema> Schema::Create(std::string name, std::vector<Column> columns) {
  if (const char* problem = FindTextProblem(name)) return BadInput(fmt::format("name: {}", problem));
  if (columns.size() > kMaxColumns) return BadInput(fmt::format("has more than {} columns", kMaxColumns));
  Schema schema;
  bool has_feature = false;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Column& column = columns[i];
    if (const std::optional<ColumnProblem> problem = FindColumnProblem(columns, i)) {
      const std::string_view shown = IsValidUtf8(column.name) ? std::string_view(column.name) : "?";
      return BadInput(fmt::format("column {} (\"{}\"): {}: {}", i + 1, shown, problem->key, problem->what),
                      problem->hint);
    }
    if (column.role == ColumnRole::kLabel) schema.label_ = static_cast<int>(i);
    if (column.role == ColumnRole::kSubject) schema.subject_ = static_cast<int>(i);
    has_feature = has_feature || column.role == ColumnRole::kFeature;
  }
  if (!has_feature) return BadInput("no column has the role \"feature\"", "a schema needs at least one");
  schema.name_ = std::move(name);
  schema.columns_ = std::move(columns);
  return schema;
}

Digest Schema::Hash() const {
  const Result<std::string> bytes = CanonicalJson("synod.schema", 1, ToJson());
  SYNOD_CHECK(bytes.ok(), "a valid schema has canonical bytes");
  return Sha256(*bytes);
}

}  // namespace synod
