// Fields of the site's log that several desks write.
#pragma once

#include <string>
#include <utility>

#include "common/core/canonical_json.h"
#include "common/core/strong_id.h"
#include "site_agent/site_run_record.h"

namespace synod {

inline Json NameFields(const QueryName& name) {
  return {{"run", RunText(name.run)}, {"query", name.query}, {"attempt", name.attempt}};
}

inline Json With(Json fields, const char* key, const std::string& value) {
  fields[key] = value;
  return fields;
}

}  // namespace synod
