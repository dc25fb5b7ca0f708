#include "tests/unit/tree/elf_symbols.h"

#include <elf.h>

#include <cstring>
#include <optional>
#include <string_view>

#include "common/core/file.h"

namespace synod::tree {
namespace {

constexpr std::size_t kMaxProgramBytes = std::size_t{1} << 30;

// The structure at `offset`, if the file holds all of it.
template <typename T>
std::optional<T> ReadAt(std::string_view bytes, std::uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

std::optional<std::string_view> ReadName(std::string_view bytes, std::uint64_t offset) {
  if (offset >= bytes.size()) return std::nullopt;
  const std::size_t end = bytes.find('\0', offset);
  if (end == std::string_view::npos) return std::nullopt;
  return bytes.substr(offset, end - offset);
}

// Appends the names of one symbol table; false if it points outside the file.
bool AppendNames(std::string_view bytes, const Elf64_Shdr& table, const Elf64_Shdr& strings,
                 std::vector<std::string>& names) {
  for (std::uint64_t at = 0; at + sizeof(Elf64_Sym) <= table.sh_size; at += sizeof(Elf64_Sym)) {
    const std::optional<Elf64_Sym> symbol = ReadAt<Elf64_Sym>(bytes, table.sh_offset + at);
    if (!symbol) return false;
    const std::optional<std::string_view> name = ReadName(bytes, strings.sh_offset + symbol->st_name);
    if (!name) return false;
    if (!name->empty()) names.emplace_back(*name);
  }
  return true;
}

}  // namespace

Result<std::vector<std::string>> ReadElfSymbols(const std::string& path) {
  SYNOD_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxProgramBytes));
  const std::optional<Elf64_Ehdr> header = ReadAt<Elf64_Ehdr>(bytes, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64 ||
      header->e_ident[EI_DATA] != ELFDATA2LSB) {
    return BadInput(path + ": no 64-bit little-endian ELF file");
  }
  const auto section = [&](std::uint64_t index) {
    return ReadAt<Elf64_Shdr>(bytes, header->e_shoff + index * sizeof(Elf64_Shdr));
  };
  std::vector<std::string> names;
  for (std::uint64_t index = 0; index < header->e_shnum; ++index) {
    const std::optional<Elf64_Shdr> table = section(index);
    if (!table) return BadInput(path + ": cut short in its section table");
    if (table->sh_type != SHT_SYMTAB) continue;
    const std::optional<Elf64_Shdr> strings = section(table->sh_link);
    if (!strings || !AppendNames(bytes, *table, *strings, names)) return BadInput(path + ": cut short in its symbols");
  }
  if (names.empty()) return BadInput(path + ": no symbols; it was stripped");
  return names;
}

}  // namespace synod::tree
