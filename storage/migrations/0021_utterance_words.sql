-- The words of an utterance stand in its row, [[text, start_ms, end_ms, confidence], ...]: a row and a
-- foreign key for each of them cost nine tenths of storing a caption. Null: the release before wrote
-- the row, and its words are in table words.
alter table utterances add column words jsonb;
