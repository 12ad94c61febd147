ALTER TABLE redemption_events DROP CONSTRAINT redemption_events_pkey,
    ADD PRIMARY KEY USING INDEX redemption_events_redemption_id_event_id_key;
ALTER TABLE gift_card_activities DROP CONSTRAINT gift_card_activities_pkey,
    ADD PRIMARY KEY USING INDEX gift_card_activities_gift_card_id_occurred_at_key;
