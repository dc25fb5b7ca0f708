#include "tools/synod/program_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <climits>
#include <filesystem>

namespace synod {

Result<std::string> ConfigFile(const std::string& relative) {
  namespace fs = std::filesystem;
  char program[PATH_MAX] = {};
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  const fs::path folder =
      fs::path(std::string(program, length > 0 ? static_cast<std::size_t>(length) : 0)).parent_path();
  for (const char* place : {"../share/synod", "../../../configs"}) {
    std::error_code error;
    const fs::path path = (folder / place / relative).lexically_normal();
    if (fs::exists(path, error)) return path.string();
  }
  return Failed(fmt::format("the program's own file {} is not there", relative),
                "run the program from its build folder or installation");
}

}  // namespace synod
