#include "site_agent/site_configuration.h"

#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "common/core/file.h"
#include "common/core/identity.h"
#include "common/data/toml_section.h"

namespace synod {
namespace {

std::string PathFrom(const std::string& kit, const std::string& path) {
  if (path.empty()) return path;
  return (std::filesystem::path(kit) / path).lexically_normal().string();
}

// HOST:PORT, where HOST may be an IPv6 address in brackets.
bool LooksLikeAddress(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  const std::string port = text.substr(colon + 1);
  if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos) return false;
  return std::stoi(port) >= 1 && std::stoi(port) <= 65535;
}

Result<DatasetSettings> ReadDataset(const TomlSection& section, const std::string& kit) {
  static const std::vector<std::string_view> kBadRows = {"drop", "clamp"};
  DatasetSettings dataset;
  SYNOD_ASSIGN_OR_RETURN(dataset.name, section.RequiredText("name"));
  if (const Status named = CheckName(dataset.name); !named.ok()) {
    return section.ErrorAt("name", named.error().message, "for example name = \"records\"");
  }
  SYNOD_ASSIGN_OR_RETURN(dataset.schema, section.RequiredText("schema"));
  SYNOD_ASSIGN_OR_RETURN(const std::string file, section.RequiredText("file"));
  dataset.file = PathFrom(kit, file);
  SYNOD_ASSIGN_OR_RETURN(const std::size_t bad_rows, section.Choice("bad_rows", 0, kBadRows));
  dataset.bad_rows = kBadRows[bad_rows];
  SYNOD_RETURN_IF_ERROR(section.Finish());
  return dataset;
}

Status ReadDatasets(const TomlSection& root, const std::string& kit, SiteConfiguration& configuration) {
  SYNOD_ASSIGN_OR_RETURN(const std::vector<TomlSection> sections, root.Sections("dataset"));
  if (sections.size() > SiteConfiguration::kMaxDatasets) {
    return root.ErrorAt("dataset", fmt::format("at most {} data sets are kept", SiteConfiguration::kMaxDatasets));
  }
  std::set<std::string> names;
  std::set<std::string> schemas;
  std::set<std::string> files;
  for (const TomlSection& section : sections) {
    SYNOD_ASSIGN_OR_RETURN(DatasetSettings dataset, ReadDataset(section, kit));
    if (!names.insert(dataset.name).second) {
      return section.ErrorAt("name", fmt::format("\"{}\" names two data sets", dataset.name));
    }
    if (!schemas.insert(dataset.schema).second) {
      return section.ErrorAt("schema", fmt::format("two data sets serve \"{}\"; a run must find one", dataset.schema));
    }
    // The same records under two names would have two life-time budgets.
    if (!files.insert(dataset.file).second) return section.ErrorAt("file", "another data set has this file");
    configuration.datasets.push_back(std::move(dataset));
  }
  return {};
}

}  // namespace

Result<SiteConfiguration> SiteConfiguration::FromToml(std::string_view text, const std::string& file,
                                                      const std::string& kit) {
  static const std::vector<std::string_view> kLevels = {"debug", "info", "warning", "error"};
  SYNOD_ASSIGN_OR_RETURN(const TomlSection root, TomlSection::Parse(text, file));
  SiteConfiguration configuration;
  SYNOD_ASSIGN_OR_RETURN(const TomlSection site, root.Section("site"));
  SYNOD_ASSIGN_OR_RETURN(configuration.coordinator, site.Text("coordinator", ""));
  if (!configuration.coordinator.empty() && !LooksLikeAddress(configuration.coordinator)) {
    return site.ErrorAt("coordinator", "must be HOST:PORT", "leave it out to use the consortium's own address");
  }
  SYNOD_RETURN_IF_ERROR(site.Finish());
  SYNOD_RETURN_IF_ERROR(ReadDatasets(root, kit, configuration));
  SYNOD_ASSIGN_OR_RETURN(const TomlSection compute, root.Section("compute"));
  SYNOD_ASSIGN_OR_RETURN(const std::int64_t threads, compute.Integer("threads", 0, 0, kMaxThreads));
  configuration.threads = static_cast<unsigned>(threads);
  SYNOD_ASSIGN_OR_RETURN(configuration.device, compute.Text("device", "auto"));
  SYNOD_ASSIGN_OR_RETURN(const std::string worker, compute.Text("worker", ""));
  configuration.worker = PathFrom(kit, worker);
  SYNOD_RETURN_IF_ERROR(compute.Finish());
  SYNOD_ASSIGN_OR_RETURN(const TomlSection log, root.Section("log"));
  SYNOD_ASSIGN_OR_RETURN(const std::string log_file, log.Text("file", ""));
  configuration.log_file = PathFrom(kit, log_file);
  SYNOD_ASSIGN_OR_RETURN(const std::size_t level, log.Choice("level", 1, kLevels));
  configuration.log_level = kLevels[level];
  SYNOD_RETURN_IF_ERROR(log.Finish());
  SYNOD_RETURN_IF_ERROR(root.Finish());
  return configuration;
}

Result<SiteConfiguration> SiteConfiguration::FromKit(const std::string& kit) {
  const std::string path = kit + "/local/site.toml";
  SYNOD_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, TomlSection::kMaxFileBytes));
  return FromToml(text, path, kit);
}

const DatasetSettings* SiteConfiguration::ForSchema(std::string_view schema_name) const {
  for (const DatasetSettings& dataset : datasets) {
    if (dataset.schema == schema_name) return &dataset;
  }
  return nullptr;
}

const DatasetSettings* SiteConfiguration::Named(std::string_view name) const {
  for (const DatasetSettings& dataset : datasets) {
    if (dataset.name == name) return &dataset;
  }
  return nullptr;
}

}  // namespace synod
