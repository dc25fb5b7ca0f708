// Schema as JSON: {"name": TEXT, "columns": [{"name", "type", "role", "missing", and by type "min", "max",
// "special_values", "decimals", "scale" or "values"}, ...]}. Columns that are not modelled have "name", "type" and
// "role" only.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "common/data/schema.h"
#include "common/data/schema_names.h"

namespace synod {
namespace {

Json ColumnToJson(const Column& column) {
  Json json = Json::object();
  json["name"] = column.name;
  json["type"] = ColumnTypeName(column.type);
  json["role"] = ColumnRoleName(column.role);
  if (!column.is_modelled()) return json;
  json["missing"] = column.missing_allowed;
  if (column.is_numeric()) {
    json["min"] = column.minimum;
    json["max"] = column.maximum;
    if (!column.special_values.empty()) json["special_values"] = column.special_values;
    if (column.decimals >= 0) json["decimals"] = column.decimals;
    // Only where it is stated: the hashes of schemas without it stay as they are.
    if (column.scale != ColumnScale::kUnstated) json["scale"] = ColumnScaleName(column.scale);
  } else {
    json["values"] = column.values;
  }
  return json;
}

// One JSON object read strictly: every key must be asked for.
class ObjectReader {
 public:
  explicit ObjectReader(const Json& json) : json_(json) {}

  bool Has(const char* key) const { return json_.contains(key); }
  const Json* Find(const char* key) {
    const auto found = json_.find(key);
    if (found == json_.end()) return nullptr;
    ++asked_;
    return &*found;
  }
  Status Text(const char* key, std::string& out) {
    const Json* value = Find(key);
    if (value == nullptr || !value->is_string()) return BadInput(fmt::format("\"{}\" must be a text", key));
    out = value->get<std::string>();
    return {};
  }
  Status Number(const char* key, double& out) {
    const Json* value = Find(key);
    if (value == nullptr || !value->is_number()) return BadInput(fmt::format("\"{}\" must be a number", key));
    out = value->get<double>();
    return {};
  }
  Status Finish() const {
    if (asked_ != json_.size()) return BadInput("has a key that does not belong to it");
    return {};
  }

 private:
  const Json& json_;
  std::size_t asked_ = 0;
};

template <typename T>
Status List(const Json* list, bool (Json::*is_right)() const noexcept, const char* key, std::vector<T>& out) {
  const auto right = [is_right](const Json& item) { return (item.*is_right)(); };
  if (list == nullptr || !list->is_array() || !std::all_of(list->begin(), list->end(), right)) {
    return BadInput(fmt::format("\"{}\" must be a list of the right type", key));
  }
  for (const Json& item : *list) out.push_back(item.get<T>());
  return {};
}

Status ModelledFromJson(ObjectReader& reader, Column& column) {
  const Json* missing = reader.Find("missing");
  if (missing == nullptr || !missing->is_boolean()) return BadInput("\"missing\" must be true or false");
  column.missing_allowed = missing->get<bool>();
  if (!column.is_numeric()) return List(reader.Find("values"), &Json::is_string, "values", column.values);
  SYNOD_RETURN_IF_ERROR(reader.Number("min", column.minimum));
  SYNOD_RETURN_IF_ERROR(reader.Number("max", column.maximum));
  if (const Json* special_values = reader.Find("special_values")) {
    SYNOD_RETURN_IF_ERROR(List(special_values, &Json::is_number, "special_values", column.special_values));
  }
  if (const Json* decimals = reader.Find("decimals")) {
    if (!decimals->is_number_integer() || *decimals < 0 || *decimals > 100) {
      return BadInput("\"decimals\" must be a small whole number");
    }
    column.decimals = decimals->get<int>();
  }
  if (reader.Has("scale")) {
    std::string name;
    SYNOD_RETURN_IF_ERROR(reader.Text("scale", name));
    const std::optional<ColumnScale> known = ColumnScaleFromName(name);
    if (!known) return BadInput("\"scale\" is not a known scale");
    column.scale = *known;
  }
  return {};
}

Result<Column> ColumnFromJson(const Json& json) {
  if (!json.is_object()) return BadInput("is not an object");
  ObjectReader reader(json);
  Column column;
  std::string type;
  std::string role;
  SYNOD_RETURN_IF_ERROR(reader.Text("name", column.name));
  SYNOD_RETURN_IF_ERROR(reader.Text("type", type));
  SYNOD_RETURN_IF_ERROR(reader.Text("role", role));
  const std::optional<ColumnType> known_type = ColumnTypeFromName(type);
  const std::optional<ColumnRole> known_role = ColumnRoleFromName(role);
  if (!known_type) return BadInput("\"type\" is not a known type");
  if (!known_role) return BadInput("\"role\" is not a known role");
  column.type = *known_type;
  column.role = *known_role;
  if (column.is_modelled()) SYNOD_RETURN_IF_ERROR(ModelledFromJson(reader, column));
  SYNOD_RETURN_IF_ERROR(reader.Finish());
  return column;
}

}  // namespace

Json Schema::ToJson() const {
  Json columns = Json::array();
  for (const Column& column : columns_) columns.push_back(ColumnToJson(column));
  return Json{{"name", name_}, {"columns", std::move(columns)}};
}

Result<Schema> Schema::FromJson(const Json& json) {
  if (!json.is_object()) return BadInput("a schema is a JSON object");
  ObjectReader reader(json);
  std::string name;
  SYNOD_RETURN_IF_ERROR(reader.Text("name", name));
  const Json* list = reader.Find("columns");
  if (list == nullptr || !list->is_array()) return BadInput("schema: \"columns\" must be a list");
  if (list->size() > kMaxColumns) return BadInput(fmt::format("schema: more than {} columns", kMaxColumns));
  SYNOD_RETURN_IF_ERROR(reader.Finish());
  std::vector<Column> columns;
  for (const Json& item : *list) {
    Result<Column> column = ColumnFromJson(item);
    if (!column.ok()) return column.error().Within(fmt::format("schema: column {}", columns.size() + 1));
    columns.push_back(std::move(*column));
  }
  Result<Schema> schema = Create(std::move(name), std::move(columns));
  if (!schema.ok()) return schema.error().Within("schema");
  return schema;
}

}  // namespace synod
