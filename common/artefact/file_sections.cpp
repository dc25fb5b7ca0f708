#include "common/artefact/file_sections.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/core/check.h"

namespace synod {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

template <typename T>
void AppendLittleEndian(T value, Bytes& out) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

// Takes bytes from the front; short input is an error, never an overrun.
class Cursor {
 public:
  explicit Cursor(ByteView file) : file_(file) {}

  Result<ByteView> Take(std::uint64_t bytes) {
    if (bytes > file_.size() - position_) return BadInput("the generator file is cut short");
    const ByteView taken = file_.subspan(position_, static_cast<std::size_t>(bytes));
    position_ += taken.size();
    return taken;
  }

  template <typename T>
  Result<T> TakeLittleEndian() {
    SYNOD_ASSIGN_OR_RETURN(const ByteView bytes, Take(sizeof(T)));
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) value |= static_cast<T>(T{bytes[i]} << (8 * i));
    return value;
  }

  ByteView Taken() const { return file_.first(position_); }
  bool AtEnd() const { return position_ == file_.size(); }

 private:
  ByteView file_;
  std::size_t position_ = 0;
};

Result<ByteView> TakeSection(Cursor& cursor, FileSection section) {
  const std::string_view name = FileSectionName(section);
  SYNOD_ASSIGN_OR_RETURN(const std::uint32_t name_bytes, cursor.TakeLittleEndian<std::uint32_t>());
  if (name_bytes != name.size()) return BadInput(fmt::format("section \"{}\" is not where it must be", name));
  SYNOD_ASSIGN_OR_RETURN(const ByteView written_name, cursor.Take(name_bytes));
  if (AsText(written_name) != name) return BadInput(fmt::format("section \"{}\" is not where it must be", name));
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t length, cursor.TakeLittleEndian<std::uint64_t>());
  if (length > MaxSectionBytes(section)) {
    return BadInput(fmt::format("section \"{}\" has more than {} bytes", name, MaxSectionBytes(section)));
  }
  return cursor.Take(length);
}

// Magic, version, number of sections.
Status TakeHeader(Cursor& cursor) {
  const Result<ByteView> magic = cursor.Take(kFileMagic.size());
  if (!magic.ok() || AsText(*magic) != kFileMagic) return BadInput("not a generator file");
  SYNOD_ASSIGN_OR_RETURN(const std::uint32_t version, cursor.TakeLittleEndian<std::uint32_t>());
  if (version != kFileVersion) {
    return BadInput(fmt::format("generator file of version {}; this program reads version {}", version, kFileVersion));
  }
  SYNOD_ASSIGN_OR_RETURN(const std::uint32_t sections, cursor.TakeLittleEndian<std::uint32_t>());
  if (sections != kFileSections) return BadInput(fmt::format("a generator file has {} sections", kFileSections));
  return {};
}

// The first `count` sections and nothing after them.
Result<FileSections> ReadSections(ByteView file, std::size_t count) {
  Cursor cursor(file);
  SYNOD_RETURN_IF_ERROR(TakeHeader(cursor));
  FileSections found;
  for (std::size_t i = 0; i < count; ++i) {
    const auto section = static_cast<FileSection>(i);
    if (section == FileSection::kCertificate) found.before_certificate = cursor.Taken();
    if (section == FileSection::kSignatures) found.before_signatures = cursor.Taken();
    SYNOD_ASSIGN_OR_RETURN(found.bytes[i], TakeSection(cursor, section));
  }
  if (!cursor.AtEnd()) return BadInput("the generator file has bytes after its end");
  return found;
}

}  // namespace

std::string_view FileSectionName(FileSection section) {
  static constexpr std::array<std::string_view, kFileSections> kNames = {"schema",     "plan",        "model",
                                                                         "parameters", "certificate", "signatures"};
  return kNames[static_cast<std::size_t>(section)];
}

std::size_t MaxSectionBytes(FileSection section) {
  static constexpr std::array<std::size_t, kFileSections> kLimits = {8 * kMiB,    8 * kMiB,  16 * kMiB,
                                                                     1024 * kMiB, 64 * kMiB, 16 * kMiB};
  return kLimits[static_cast<std::size_t>(section)];
}

Result<FileSections> ReadFileSections(ByteView file) {
  return ReadSections(file, kFileSections);
}

Result<FileSections> ReadDraftSections(ByteView draft) {
  SYNOD_ASSIGN_OR_RETURN(FileSections sections, ReadSections(draft, kFileSections - 1));
  sections.before_signatures = draft;
  return sections;
}

void AppendFileHeader(Bytes& out) {
  out.insert(out.end(), kFileMagic.begin(), kFileMagic.end());
  AppendLittleEndian(kFileVersion, out);
  AppendLittleEndian(static_cast<std::uint32_t>(kFileSections), out);
}

void AppendFileSection(FileSection section, ByteView bytes, Bytes& out) {
  const std::string_view name = FileSectionName(section);
  AppendLittleEndian(static_cast<std::uint32_t>(name.size()), out);
  out.insert(out.end(), name.begin(), name.end());
  AppendLittleEndian(static_cast<std::uint64_t>(bytes.size()), out);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

}  // namespace synod
