#include "tools/synod/program_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <climits>
#include <filesystem>

namespace synod {
namespace {

namespace fs = std::filesystem;

fs::path FolderOfThisProgram() {
  char program[PATH_MAX] = {};
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  return fs::path(std::string(program, length > 0 ? static_cast<std::size_t>(length) : 0)).parent_path();
}

}  // namespace

std::string ProgramBesideThis(const std::string& name) {
  return (FolderOfThisProgram() / name).string();
}

Result<std::string> ConfigFile(const std::string& relative) {
  for (const char* place : {"../share/synod", "../../../configs"}) {
    std::error_code error;
    const fs::path path = (FolderOfThisProgram() / place / relative).lexically_normal();
    if (fs::exists(path, error)) return path.string();
  }
  return Failed(fmt::format("the program's own file {} is not there", relative),
                "run the program from its build folder or installation");
}

}  // namespace synod
