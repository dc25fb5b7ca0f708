// The id under which a table keeps the subject of a row: the first 64 bits of a SHA-256 of its text, little-endian.
//
// Ids are as secret as the records (whoever can guess the text can recognise it): they are never logged or sent. Two of
// n subjects share an id with a probability below n^2 / 2^65 (3e-8 for a million) and then count as one.
#pragma once

#include <cstdint>
#include <string_view>

namespace synod {

std::uint64_t SubjectId(std::string_view text);

}  // namespace synod
