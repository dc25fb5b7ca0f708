// Texts in control messages: printable characters and line breaks in UTF-8, at most limits::kMaxTextBytes.
#pragma once

#include <string>

namespace synod {

// Neither a blank, a tab or a line break nor anything that is printed. Such a character is refused in a text.
bool IsControlCharacter(char c);

// Any text as one that can be sent: what cannot stand in it becomes "?", and it is cut between two characters. For
// error messages, which may repeat what a person wrote.
std::string TextForPeer(std::string text);

}  // namespace synod
