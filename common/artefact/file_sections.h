// The outer form of a generator file: magic, version, and six named sections in a fixed order, each with its length.
//
//   "SYNODGEN" | u32 version | u32 sections | 6 x ( u32 name bytes | name | u64 length | bytes )     (little-endian)
//
// Every length is checked against the limit of its section and the bytes that are there before anything is copied.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/core/bytes.h"
#include "common/core/result.h"

namespace synod {

enum class FileSection : std::uint8_t { kSchema, kPlan, kModel, kParameters, kCertificate, kSignatures };
inline constexpr std::size_t kFileSections = 6;
std::string_view FileSectionName(FileSection section);
std::size_t MaxSectionBytes(FileSection section);

inline constexpr std::string_view kFileMagic = "SYNODGEN";
inline constexpr std::uint32_t kFileVersion = 1;
inline constexpr std::size_t kMaxGeneratorFileBytes = (std::size_t{1} << 30) + (std::size_t{128} << 20);

// Views into the bytes that were read.
struct FileSections {
  std::array<ByteView, kFileSections> bytes;
  ByteView before_certificate;  // the file up to the header of the certificate's section
  ByteView before_signatures;   // the file up to the header of the signatures' section
  ByteView of(FileSection section) const { return bytes[static_cast<std::size_t>(section)]; }
};

// Fails on another magic or version, a section that is missing, repeated, out of order, unknown, too large or cut
// short, and on bytes after the last one.
Result<FileSections> ReadFileSections(ByteView file);
// The same for a file that ends before its signatures' section.
Result<FileSections> ReadDraftSections(ByteView draft);

// The header of a file, and one section: what a writer appends in turn.
void AppendFileHeader(Bytes& out);
void AppendFileSection(FileSection section, ByteView bytes, Bytes& out);

}  // namespace synod
