CREATE TABLE IF NOT EXISTS maintenance (
    prefix text NOT NULL,
    name bytea NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    content bytea NOT NULL,
    holder bytea,
    expires_at timestamptz,
    PRIMARY KEY (prefix, name)
) WITH (fillfactor = 50)
