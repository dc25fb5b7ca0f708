// What a site's administrator writes into KIT/local/site.toml: where the coordinator is, where the records lie, how
// much of the machine a run may use, what is logged. Strict: an unknown key or a value out of range is an error with
// file, line and key.
//
//   [site]      coordinator = "HOST:PORT"           optional; by default the manifest's
//   [[dataset]] name, schema, file, bad_rows = "drop" | "clamp"
//   [compute]   threads = 0, device = "auto", worker = ""
//   [log]       file = "", level = "info"
//
// `schema` is the name of the schema (its `name` key) that this data set serves. Relative paths are relative to the
// kit's folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/core/result.h"

namespace synod {

struct DatasetSettings {
  std::string name;
  std::string schema;
  std::string file;  // absolute, or relative to where the program runs
  std::string bad_rows = "drop";
  bool operator==(const DatasetSettings&) const = default;
};

struct SiteConfiguration {
  static constexpr std::size_t kMaxDatasets = 64;
  static constexpr unsigned kMaxThreads = 1024;

  std::string coordinator;  // empty: the manifest's address
  std::vector<DatasetSettings> datasets;
  unsigned threads = 0;  // 0: all cores
  std::string device = "auto";
  std::string worker;    // empty: synod-worker beside synod-site
  std::string log_file;  // empty: standard error
  std::string log_level = "info";

  // `kit`: the folder that relative paths start from. `file` is a name for the errors.
  static Result<SiteConfiguration> FromToml(std::string_view text, const std::string& file, const std::string& kit);
  // KIT/local/site.toml.
  static Result<SiteConfiguration> FromKit(const std::string& kit);

  // The one data set that serves schemas of this name; nothing where there is none.
  const DatasetSettings* ForSchema(std::string_view schema_name) const;
  const DatasetSettings* Named(std::string_view name) const;
};

}  // namespace synod
