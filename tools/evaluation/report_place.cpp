#include "tools/evaluation/report_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <system_error>

namespace synod {
namespace {

bool IsGenerator(const std::filesystem::path& file) {
  std::string extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".synod";
}

}  // namespace

Status CheckReportPlace(const std::string& path, RealData real_data) {
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  std::error_code failure;
  std::filesystem::directory_iterator entry(folder, failure);
  if (failure) return BadInput(fmt::format("cannot write a report to {}: {}", path, failure.message()));
  if (real_data == RealData::kPublic) return {};
  for (const std::filesystem::directory_iterator end; entry != end; entry.increment(failure)) {
    if (IsGenerator(entry->path())) {
      return Refused(
          fmt::format("the folder of {} holds a generator file: a report has statistics of real data that are not "
                      "differentially private and never lies beside what is published",
                      path),
          "name a folder that only the data holder reads");
    }
  }
  if (failure) return BadInput(fmt::format("cannot read the folder of {}: {}", path, failure.message()));
  return {};
}

}  // namespace synod
