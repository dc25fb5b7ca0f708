#include "tests/federation/proc_files.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "tests/integration/program.h"

namespace synod::testing {
namespace {

namespace fs = std::filesystem;

std::string FolderOf(std::int64_t process) {
  return "/proc/" + std::to_string(process);
}

// Inodes in the tenth column of /proc/PID/net/PROTOCOL.
void AddInodes(const std::string& file, std::set<std::string>& inodes) {
  std::istringstream lines(ReadText(file));
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string word;
    for (int column = 0; column < 10; ++column) words >> word;
    inodes.insert("socket:[" + word + "]");
  }
}

}  // namespace

std::vector<std::int64_t> ChildrenOf(std::int64_t process) {
  std::vector<std::int64_t> children;
  std::error_code error;
  for (const auto& thread : fs::directory_iterator(FolderOf(process) + "/task", error)) {
    std::istringstream words(ReadText(thread.path().string() + "/children"));
    std::int64_t child = 0;
    while (words >> child) children.push_back(child);
  }
  return children;
}

std::string MapsOf(std::int64_t process) {
  return ReadText(FolderOf(process) + "/maps");
}

std::vector<std::string> OpenFilesOf(std::int64_t process) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(FolderOf(process) + "/fd", error)) {
    const fs::path target = fs::read_symlink(entry.path(), error);
    if (!error) files.push_back(target.string());
  }
  return files;
}

std::size_t InternetSocketsOf(std::int64_t process) {
  std::set<std::string> inodes;
  for (const char* protocol : {"tcp", "tcp6", "udp", "udp6"}) {
    AddInodes(FolderOf(process) + "/net/" + protocol, inodes);
  }
  std::size_t sockets = 0;
  for (const std::string& file : OpenFilesOf(process)) sockets += inodes.count(file);
  return sockets;
}

double ResidentMegabytes(std::int64_t process) {
  std::ifstream file(FolderOf(process) + "/status");
  std::string word;
  while (file >> word) {
    double kilobytes = 0.0;
    if (word == "VmRSS:" && file >> kilobytes) return kilobytes / 1024.0;
  }
  return 0.0;
}

}  // namespace synod::testing
