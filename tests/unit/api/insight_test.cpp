// What a transcript says about its meeting. Expected values are counted by hand from the sentences,
// or follow from the formula that the test names.

#include <cmath>

#include <gtest/gtest.h>

#include "api/insight/action_items.hpp"
#include "api/insight/due_date.hpp"
#include "api/insight/meeting_insights.hpp"
#include "api/insight/sentiment.hpp"
#include "api/insight/summary.hpp"

namespace qylon::api {
namespace {

using std::chrono::day;
using std::chrono::month;
using std::chrono::year;
using std::chrono::year_month_day;

// A Wednesday.
constexpr year_month_day kWednesday{year(2026), month(3), day(4)};

SpokenLine line(std::string speaker, std::string text, std::int64_t offset = 1) {
  return {offset, offset * 1000, offset * 1000 + 900, std::move(speaker), std::move(text)};
}

std::vector<ActionItem> items_of(const std::vector<SpokenLine>& lines) {
  return find_action_items(lines, kWednesday);
}

std::string due(const char* text) {
  const auto found = due_date(split_words(text), kWednesday);
  if (!found) return "none";
  return std::to_string(static_cast<int>(found->year())) + "-" +
         std::to_string(static_cast<unsigned>(found->month())) + "-" +
         std::to_string(static_cast<unsigned>(found->day()));
}

double mood(const char* text) {
  return sentiment(split_words(text));
}

/// The formula's last step.
double normalised(double sum) {
  return sum / std::sqrt(sum * sum + 15);
}

TEST(Sentences, EndAtFullStopsButNotAtAbbreviationsOrDecimals) {
  const std::vector<SpokenLine> lines{
      line("Ann", "Dr. Lee paid 3.5 dollars, e.g. cash. Did he?  Yes!"), line("Bob", " ... ")};
  const auto sentences = split_sentences(lines);
  ASSERT_EQ(sentences.size(), 3U);
  EXPECT_EQ(sentences[0].text, "Dr. Lee paid 3.5 dollars, e.g. cash.");
  EXPECT_EQ(sentences[1].text, "Did he?");
  EXPECT_TRUE(sentences[1].question);
  EXPECT_EQ(sentences[2].number, 2);
}

TEST(Words, KeepApostrophesAndHyphensInsideAndForgetCase) {
  const auto words = split_words("I\xE2\x80\x99ll re-send 'Caf\xC3\xA9' - OK?");
  ASSERT_EQ(words.size(), 4U);
  EXPECT_EQ(words[0].text, "i'll");
  EXPECT_EQ(words[1].text, "re-send");
  EXPECT_EQ(words[2].text, "caf\xC3\xA9");
  EXPECT_EQ(words[3].text, "ok");
}

TEST(DueDate, IsCountedFromTheDayOfTheMeeting) {
  EXPECT_EQ(due("send it today"), "2026-3-4");
  EXPECT_EQ(due("by end of the day"), "2026-3-4");
  EXPECT_EQ(due("do it tomorrow"), "2026-3-5");
  EXPECT_EQ(due("in two weeks"), "2026-3-18");
  EXPECT_EQ(due("within 10 days"), "2026-3-14");
  EXPECT_EQ(due("in a month"), "2026-4-4");
  EXPECT_EQ(due("some time"), "none");
}

TEST(DueDate, KnowsTheDaysOfTheWeek) {
  EXPECT_EQ(due("by friday"), "2026-3-6");
  EXPECT_EQ(due("on wednesday"), "2026-3-11");  // Not today.
  EXPECT_EQ(due("before monday"), "2026-3-9");
  EXPECT_EQ(due("next friday"), "2026-3-13");
  EXPECT_EQ(due("this week"), "2026-3-6");
  EXPECT_EQ(due("by the end of the week"), "2026-3-6");
  EXPECT_EQ(due("next week"), "2026-3-13");
}

TEST(DueDate, KnowsTheCalendar) {
  EXPECT_EQ(due("by march 20th"), "2026-3-20");
  EXPECT_EQ(due("on the 5th of february"), "2027-2-5");
  EXPECT_EQ(due("by february 29"), "2028-2-29");
  EXPECT_EQ(due("end of the month"), "2026-3-31");
  EXPECT_EQ(due("next month"), "2026-4-30");
  EXPECT_EQ(due("due 2026-12-24"), "2026-12-24");
  EXPECT_EQ(due("due 2026-13-24"), "none");
  EXPECT_EQ(due("we may go"), "none");
}

TEST(ActionItems, ACommitmentIsTheSpeakers) {
  const auto items = items_of({line("Ann Lee", "Fine. I'll send the figures to Bob by Friday.")});
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].text, "Send the figures to Bob by Friday");
  EXPECT_EQ(items[0].assignee, "Ann Lee");
  EXPECT_EQ(items[0].due, (year_month_day{year(2026), month(3), day(6)}));
}

TEST(ActionItems, ARequestIsHisWhoIsNamed) {
  const auto items =
      items_of({line("Ann Lee", "Bob, could you please review the contract tomorrow?"),
                line("Bob Ray", "Sure. Ann will schedule the demo.", 2)});
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].assignee, "Bob Ray");
  EXPECT_EQ(items[0].text, "Review the contract tomorrow");
  EXPECT_EQ(items[1].assignee, "Ann Lee");
  EXPECT_EQ(items[1].line, 1U);
}

TEST(ActionItems, AResolutionIsTheGroups) {
  const auto items = items_of({line("Ann", "We need to fix the login page.")});
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].assignee, "");
  EXPECT_FALSE(items[0].due);
}

TEST(ActionItems, SpeechWithoutPunctuationHoldsSeveral) {
  const auto items =
      items_of({line("Speaker 2", "ok i will update the budget and we should invite marketing")});
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].text, "Update the budget");
  EXPECT_EQ(items[0].assignee, "Speaker 2");
  EXPECT_EQ(items[1].text, "Invite marketing");
  EXPECT_EQ(items[1].number, 1);
}

TEST(ActionItems, AreNotFoundInTalkThatCommitsNobody) {
  EXPECT_TRUE(items_of({line("Ann",
                             "I'll be honest, we'll see. I will not send it. Let me think. "
                             "You should know that they sent the report on Friday.")})
                  .empty());
}

TEST(ActionItems, AreBounded) {
  const std::vector<SpokenLine> lines(kActionItemsMax + 10, line("Ann", "I'll send it."));
  EXPECT_EQ(items_of(lines).size(), kActionItemsMax);
}

// Weights from the lexicon; the rules are VADER's.
TEST(Sentiment, AddsWeightsAndNormalises) {
  EXPECT_EQ(mood("the table has four legs"), 0);
  EXPECT_DOUBLE_EQ(mood("great work"), normalised(3.0));
  EXPECT_DOUBLE_EQ(mood("a great success with one problem"), normalised(3.0 + 2.5 - 1.7));
}

TEST(Sentiment, ANegationTurnsItRoundAndABoosterAddsToIt) {
  EXPECT_DOUBLE_EQ(mood("not good"), normalised(1.9 * -0.74));
  EXPECT_DOUBLE_EQ(mood("very good"), normalised(1.9 + 0.293));
  EXPECT_DOUBLE_EQ(mood("slightly worried"), normalised(-1.5 + 0.293));
  EXPECT_DOUBLE_EQ(mood("not a very good"), normalised((1.9 + 0.293) * -0.74));
  EXPECT_DOUBLE_EQ(mood("not that it is good"), normalised(1.9));  // Four words away.
}

TEST(Sentiment, StaysWithinOne) {
  std::string text;
  for (int i = 0; i < 1000; ++i)
    text += "awesome ";
  EXPECT_LE(mood(text.c_str()), 1.0);
  EXPECT_GT(mood(text.c_str()), 0.99);
}

// A star: every other sentence shares words with the second one and with no third.
TEST(Summary, PrefersTheSentenceThatTheOthersResemble) {
  const std::vector<SpokenLine> lines{line("Ann", "Budget planning alpha bravo charlie."),
                                      line("Ann", "Budget planning launch schedule hiring freeze."),
                                      line("Bob", "Launch schedule delta echo foxtrot."),
                                      line("Bob", "Hiring freeze golf hotel india."),
                                      line("Bob", "Yeah okay right.")};
  const auto sentences = split_sentences(lines);
  EXPECT_EQ(summarise(sentences, 1), (std::vector<std::size_t>{1}));
  const auto all = summarise(sentences, 10);
  EXPECT_EQ(all, (std::vector<std::size_t>{0, 1, 2, 3}));
}

TEST(Summary, OfNothingIsEmpty) {
  EXPECT_TRUE(summarise({}, 5).empty());
  EXPECT_TRUE(summarise(split_sentences(std::vector{line("Ann", "Hello there.")}), 5).empty());
}

TEST(Insights, CountWhoTalkedHowLongAndAskedWhat) {
  const MeetingInsights insights = read_insights(
      std::vector<SpokenLine>{{1, 0, 4000, "Ann", "Is the release ready? Great release."},
                              {2, 4000, 5000, "Bob", "We decided to move the release."},
                              {3, 5000, 10'000, "Ann", "Terrible delay."}},
      kWednesday);
  ASSERT_EQ(insights.speakers.size(), 2U);
  EXPECT_EQ(insights.speakers[0].name, "Ann");
  EXPECT_EQ(insights.speakers[0].talk_ms, 9000);
  EXPECT_EQ(insights.speakers[0].words, 8U);
  EXPECT_EQ(insights.speakers[0].questions, 1U);
  EXPECT_EQ(insights.words, 14U);
  ASSERT_EQ(insights.decisions.size(), 1U);
  EXPECT_EQ(insights.decisions[0].offset, 2);
  EXPECT_EQ(insights.keywords, (std::vector<std::string>{"release"}));
}

TEST(Insights, SentimentIsWeighedByWordsAndFollowsTheMeeting) {
  const MeetingInsights insights =
      read_insights(std::vector<SpokenLine>{{1, 0, 1000, "Ann", "Great."},
                                            {2, 9000, 10'000, "Bob", "A bad bad day."}},
                    kWednesday);
  ASSERT_EQ(insights.sentiments.size(), 10U);
  EXPECT_DOUBLE_EQ(insights.sentiments[0].sentiment, normalised(3.0));
  EXPECT_DOUBLE_EQ(insights.sentiments[9].sentiment, normalised(-5.0));
  EXPECT_EQ(insights.sentiments[9].start_ms, 9000);
  EXPECT_DOUBLE_EQ(insights.sentiment, (normalised(3.0) + 4 * normalised(-5.0)) / 5);
}

}  // namespace
}  // namespace qylon::api
