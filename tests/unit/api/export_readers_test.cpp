#include "tests/unit/api/export_readers.hpp"

#include <cctype>

#include <gtest/gtest.h>

namespace qylon::api::test {
namespace {

/// Takes two or more digits, or exactly `digits` when it is not 0.
std::int64_t take_number(std::string_view& text, std::size_t digits) {
  std::size_t size = 0;
  std::int64_t value = 0;
  while (size < text.size() && std::isdigit(static_cast<unsigned char>(text[size])) != 0) {
    value = value * 10 + (text[size++] - '0');
  }
  EXPECT_TRUE(digits == 0 ? size >= 2 : size == digits) << text;
  text.remove_prefix(size);
  return value;
}

void take(std::string_view& text, std::string_view expected) {
  ASSERT_TRUE(text.starts_with(expected)) << "\"" << text << "\" instead of " << expected;
  text.remove_prefix(expected.size());
}

std::int64_t take_time(std::string_view& text, std::string_view mark) {
  std::int64_t ms = take_number(text, 0) * 3'600'000;
  take(text, ":");
  ms += take_number(text, 2) * 60'000;
  take(text, ":");
  ms += take_number(text, 2) * 1000;
  take(text, mark);
  return ms + take_number(text, 3);
}

void read_time_line(std::string_view line, std::string_view mark, ReadCue& cue) {
  cue.start_ms = take_time(line, mark);
  take(line, " --> ");
  cue.end_ms = take_time(line, mark);
  EXPECT_EQ(line, "");
  EXPECT_GT(cue.end_ms, cue.start_ms);
}

/// Blocks of lines between single blank lines.
std::vector<std::vector<std::string>> blocks_of(std::string_view file) {
  std::vector<std::vector<std::string>> blocks(1);
  for (const std::string& line : split_lines(file)) {
    if (!line.empty()) {
      blocks.back().push_back(line);
      continue;
    }
    EXPECT_FALSE(blocks.back().empty()) << "two blank lines in a row";
    blocks.emplace_back();
  }
  EXPECT_TRUE(blocks.back().empty()) << "no blank line at the end";
  blocks.pop_back();
  return blocks;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

/// WebVTT section 6.4: character references become characters; what is left of '<' is a tag.
std::string vtt_text(std::string text) {
  EXPECT_EQ(text.find('<'), std::string::npos) << text;
  EXPECT_EQ(text.find('>'), std::string::npos) << text;
  replace_all(text, "&lt;", "<");
  replace_all(text, "&gt;", ">");
  replace_all(text, "&amp;", "&");
  return text;
}

std::string csv_unguarded(std::string cell) {
  std::string_view rest = cell;
  rest.remove_prefix(std::min(rest.find_first_not_of('\''), rest.size()));
  const bool is_formula =
      !rest.empty() && (std::string_view("=+-@").find(rest[0]) != std::string_view::npos ||
                        rest.starts_with("\xEF\xBC\x9D"));
  EXPECT_FALSE(is_formula && rest.size() == cell.size()) << cell << " would run";
  return is_formula ? cell.substr(1) : cell;
}

std::string take_cell(std::string_view& file) {
  std::string cell;
  if (!file.starts_with('"')) {
    while (!file.empty() && file[0] != ',' && file[0] != '\r') {
      EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(file[0])) != 0 || file[0] == '.' ||
                  file[0] == '_');
      cell += file[0];
      file.remove_prefix(1);
    }
    return cell;
  }
  for (file.remove_prefix(1); !file.empty(); file.remove_prefix(1)) {
    if (file[0] == '"' && !file.starts_with("\"\"")) break;
    if (file[0] == '"') file.remove_prefix(1);
    cell += file[0];
  }
  take(file, "\"");
  return csv_unguarded(cell);
}

}  // namespace

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    EXPECT_NE(end, std::string_view::npos) << "the last line has no end";
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::vector<ReadCue> read_srt(std::string_view file) {
  std::vector<ReadCue> cues;
  for (const auto& block : blocks_of(file)) {
    ReadCue cue;
    cue.id = block.at(0);
    EXPECT_EQ(cue.id, std::to_string(cues.size() + 1));
    read_time_line(block.at(1), ",", cue);
    for (std::size_t i = 2; i < block.size(); ++i) {
      EXPECT_EQ(block[i].find("-->"), std::string::npos);
      EXPECT_EQ(block[i].find("<b>"), std::string::npos);
      EXPECT_EQ(block[i].find("{\\"), std::string::npos);
      cue.lines.push_back(block[i]);
      replace_all(cue.lines.back(), "\xE2\x81\xA0", "");
    }
    EXPECT_FALSE(cue.lines.empty());
    cues.push_back(cue);
  }
  return cues;
}

std::vector<ReadCue> read_vtt(std::string_view file) {
  std::vector<ReadCue> cues;
  auto blocks = blocks_of(file);
  EXPECT_EQ(blocks.at(0), std::vector<std::string>{"WEBVTT"});
  blocks.erase(blocks.begin());
  for (const auto& block : blocks) {
    ReadCue cue;
    cue.id = block.at(0);
    EXPECT_EQ(cue.id.find("-->"), std::string::npos);
    read_time_line(block.at(1), ".", cue);
    if (!cues.empty()) {
      EXPECT_GE(cue.start_ms, cues.back().start_ms);
    }
    for (std::size_t i = 2; i < block.size(); ++i) {
      std::string line = block[i];
      EXPECT_EQ(line.find("-->"), std::string::npos);
      if (i == 2) {
        EXPECT_TRUE(line.starts_with("<v "));
        const std::size_t end = line.find('>');
        cue.speaker = vtt_text(line.substr(3, end - 3));
        while (cue.speaker.ends_with(' '))  // Section 6.4: blanks around an annotation go.
          cue.speaker.pop_back();
        line.erase(0, end + 1);
      }
      cue.lines.push_back(vtt_text(line));
    }
    cues.push_back(cue);
  }
  return cues;
}

std::vector<std::vector<std::string>> read_csv(std::string_view file) {
  std::vector<std::vector<std::string>> rows;
  while (!file.empty()) {
    std::vector<std::string> row{take_cell(file)};
    while (file.starts_with(',')) {
      file.remove_prefix(1);
      row.push_back(take_cell(file));
    }
    EXPECT_TRUE(file.starts_with("\r\n"));
    file.remove_prefix(std::min<std::size_t>(2, file.size()));
    EXPECT_TRUE(rows.empty() || row.size() == rows[0].size());
    rows.push_back(row);
  }
  return rows;
}

std::vector<std::vector<std::string>> read_rttm(std::string_view file) {
  std::vector<std::vector<std::string>> rows;
  for (const std::string& line : split_lines(file)) {
    std::vector<std::string> fields{""};
    for (const char c : line) {
      if (c == ' ') {
        EXPECT_FALSE(fields.back().empty()) << line;
        fields.emplace_back();
      } else {
        fields.back() += c;
      }
    }
    EXPECT_EQ(fields.size(), 10U) << line;
    rows.push_back(fields);
  }
  return rows;
}

}  // namespace qylon::api::test
