-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "audit_events" (
    "at" TIMESTAMPTZ(3) NOT NULL,
    "id" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "verdict" TEXT,
    "reason" TEXT,
    "ip" TEXT,
    "user_agent" TEXT,
    "username" TEXT,
    "credential_id" TEXT,
    "license_id" TEXT,
    "customer_id" TEXT,
    "package" TEXT,
    "version" TEXT,
    "node" TEXT NOT NULL,
    "actor" TEXT,
    "data" JSONB,
    "proof" BYTEA,

    CONSTRAINT "audit_events_pkey" PRIMARY KEY ("at","id")
) PARTITION BY RANGE ("at");

-- CreateTable
CREATE TABLE "audit_unsealed" (
    "at" TIMESTAMPTZ(3) NOT NULL,
    "id" TEXT NOT NULL,
    "proof" BYTEA,

    CONSTRAINT "audit_unsealed_pkey" PRIMARY KEY ("at","id")
);

-- CreateTable
CREATE TABLE "audit_seals" (
    "month" TIMESTAMPTZ(3) NOT NULL,
    "sequence" BIGINT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "id" TEXT NOT NULL,
    "mac" BYTEA NOT NULL,

    CONSTRAINT "audit_seals_pkey" PRIMARY KEY ("month","sequence")
) PARTITION BY LIST ("month");

-- Partitions stand in a schema of their own, where Prisma does not look for drift.
CREATE SCHEMA IF NOT EXISTS "audit";

-- CreateTable
CREATE TABLE "audit_months" (
    "month" TIMESTAMPTZ(3) NOT NULL,
    "rows" BIGINT NOT NULL DEFAULT 0,
    "head" BYTEA,
    "keys" JSONB NOT NULL DEFAULT '[]',
    "sealed_at" TIMESTAMPTZ(3),
    "dropped_at" TIMESTAMPTZ(3),

    CONSTRAINT "audit_months_pkey" PRIMARY KEY ("month")
);

-- CreateTable
CREATE TABLE "audit_exports" (
    "id" TEXT NOT NULL,
    "requested_by" TEXT NOT NULL,
    "customer_id" TEXT,
    "format" TEXT NOT NULL,
    "filter" JSONB NOT NULL,
    "rows" BIGINT,
    "sha256" TEXT,
    "chain_head" TEXT,
    "state" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "ready_at" TIMESTAMPTZ(3),
    "withdrawn_at" TIMESTAMPTZ(3),

    CONSTRAINT "audit_exports_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "alerts" (
    "id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "dedupe_key" TEXT NOT NULL,
    "evidence" JSONB NOT NULL,
    "credential_id" TEXT,
    "customer_id" TEXT,
    "raised_at" TIMESTAMPTZ(3) NOT NULL,
    "answered_at" TIMESTAMPTZ(3),
    "answered_by" TEXT,
    "answer" TEXT,

    CONSTRAINT "alerts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "staff_tasks" (
    "id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "dedupe_key" TEXT NOT NULL,
    "summary" TEXT NOT NULL,
    "facts" JSONB NOT NULL,
    "customer_id" TEXT,
    "license_id" TEXT,
    "purchase_id" TEXT,
    "raised_at" TIMESTAMPTZ(3) NOT NULL,
    "resolved_at" TIMESTAMPTZ(3),
    "resolved_by" TEXT,
    "resolution" TEXT,

    CONSTRAINT "staff_tasks_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "settings" (
    "name" TEXT NOT NULL,
    "value" JSONB NOT NULL,
    "changed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "settings_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "mails" (
    "id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "to" TEXT NOT NULL,
    "dedupe_key" TEXT NOT NULL,
    "customer_id" TEXT,
    "props" JSONB NOT NULL,
    "sealed" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "sent_at" TIMESTAMPTZ(3),
    "provider_id" TEXT,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "last_error" TEXT,
    "failed_at" TIMESTAMPTZ(3),

    CONSTRAINT "mails_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "customers" (
    "id" TEXT NOT NULL,
    "email" TEXT,
    "name" TEXT,
    "company" TEXT,
    "stripe_customer_id" TEXT,
    "notes" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "customers_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "users" (
    "id" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "name" TEXT,
    "verified_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "members" (
    "id" TEXT NOT NULL,
    "customer_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "removed_at" TIMESTAMPTZ(3),

    CONSTRAINT "members_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "staff" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "totp_sealed" TEXT,
    "recovery_hashes" BYTEA[],
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "removed_at" TIMESTAMPTZ(3),

    CONSTRAINT "staff_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "invitations" (
    "id" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "customer_id" TEXT,
    "role" TEXT NOT NULL,
    "token_hash" BYTEA NOT NULL,
    "invited_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "accepted_at" TIMESTAMPTZ(3),

    CONSTRAINT "invitations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sessions" (
    "id" TEXT NOT NULL,
    "token_hash" BYTEA NOT NULL,
    "user_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "last_seen_at" TIMESTAMPTZ(3),
    "ip" TEXT,
    "user_agent" TEXT,
    "second_factor_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "sessions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sign_in_tokens" (
    "token_hash" BYTEA NOT NULL,
    "email" TEXT NOT NULL,
    "ip" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "sign_in_tokens_pkey" PRIMARY KEY ("token_hash")
);

-- CreateTable
CREATE TABLE "products" (
    "id" TEXT NOT NULL,
    "slug" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "summary" TEXT,
    "description" TEXT,
    "term_months" INTEGER,
    "lapse" TEXT NOT NULL DEFAULT 'keep-versions',
    "refund_window_days" INTEGER NOT NULL DEFAULT 30,
    "credentials_per_license" INTEGER NOT NULL DEFAULT 10,
    "minimum_stability" TEXT NOT NULL DEFAULT 'dev',
    "listed" BOOLEAN NOT NULL DEFAULT true,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "changed_at" TIMESTAMPTZ(3) NOT NULL,
    "archived_at" TIMESTAMPTZ(3),

    CONSTRAINT "products_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "prices" (
    "id" TEXT NOT NULL,
    "stripe_price_id" TEXT NOT NULL,
    "product_id" TEXT NOT NULL,
    "amount_minor" INTEGER,
    "currency" TEXT,
    "active" BOOLEAN NOT NULL DEFAULT true,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "prices_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "product_packages" (
    "product_id" TEXT NOT NULL,
    "package_id" TEXT NOT NULL,
    "constraint" TEXT,

    CONSTRAINT "product_packages_pkey" PRIMARY KEY ("product_id","package_id")
);

-- CreateTable
CREATE TABLE "packages" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "type" TEXT,
    "abandoned" BOOLEAN NOT NULL DEFAULT false,
    "replacement" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "changed_at" TIMESTAMPTZ(3) NOT NULL,
    "revision" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "packages_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "releases" (
    "id" TEXT NOT NULL,
    "package_id" TEXT NOT NULL,
    "version" TEXT NOT NULL,
    "version_normalized" TEXT NOT NULL,
    "stability" TEXT NOT NULL,
    "metadata" JSONB NOT NULL,
    "archive_sha256" TEXT NOT NULL,
    "archive_sha1" TEXT NOT NULL,
    "archive_bytes" BIGINT NOT NULL,
    "notes" TEXT,
    "published_at" TIMESTAMPTZ(3) NOT NULL,
    "withdrawn_at" TIMESTAMPTZ(3),
    "withdrawn_reason" TEXT,

    CONSTRAINT "releases_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sources" (
    "id" TEXT NOT NULL,
    "package_id" TEXT,
    "kind" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "sealed" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "last_sync_at" TIMESTAMPTZ(3),
    "last_error" TEXT,

    CONSTRAINT "sources_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "advisories" (
    "id" TEXT NOT NULL,
    "package_id" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "cve" TEXT,
    "link" TEXT,
    "severity" TEXT,
    "affected_versions" TEXT NOT NULL,
    "reported_at" TIMESTAMPTZ(3) NOT NULL,
    "withdrawn_at" TIMESTAMPTZ(3),

    CONSTRAINT "advisories_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "licenses" (
    "id" TEXT NOT NULL,
    "customer_id" TEXT NOT NULL,
    "product_id" TEXT NOT NULL,
    "origin" TEXT NOT NULL,
    "purchase_line_id" TEXT,
    "unit" INTEGER,
    "subscription_id" TEXT,
    "issued_at" TIMESTAMPTZ(3) NOT NULL,
    "covered_until" TIMESTAMPTZ(3),
    "lapse" TEXT NOT NULL,
    "lapse_noted_at" TIMESTAMPTZ(3),
    "suspended_at" TIMESTAMPTZ(3),
    "suspended_for" TEXT,
    "suspended_reason" TEXT,
    "refunded_at" TIMESTAMPTZ(3),
    "refund_failed_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "revoked_reason" TEXT,
    "reinstated_at" TIMESTAMPTZ(3),
    "reinstated_reason" TEXT,
    "changed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "licenses_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "credentials" (
    "id" TEXT NOT NULL,
    "customer_id" TEXT NOT NULL,
    "username" TEXT NOT NULL,
    "secret_hash" TEXT NOT NULL,
    "secret_digest" BYTEA,
    "digest_key_id" TEXT,
    "secret_lookup" BYTEA,
    "imported" BOOLEAN NOT NULL DEFAULT false,
    "label" TEXT,
    "issued_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "revoked_reason" TEXT,
    "replaces_id" TEXT,
    "overlap_ends_at" TIMESTAMPTZ(3),
    "address_list" TEXT[],
    "last_validated_at" TIMESTAMPTZ(3),
    "last_used_ip" TEXT,
    "last_user_agent" TEXT,
    "changed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "credentials_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "credential_licenses" (
    "credential_id" TEXT NOT NULL,
    "license_id" TEXT NOT NULL,
    "bound_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "credential_licenses_pkey" PRIMARY KEY ("credential_id","license_id")
);

-- CreateTable
CREATE TABLE "device_logins" (
    "device_code_hash" BYTEA NOT NULL,
    "user_code" TEXT NOT NULL,
    "machine" TEXT,
    "ip" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "last_polled_at" TIMESTAMPTZ(3),
    "decided_at" TIMESTAMPTZ(3),
    "decision" TEXT,
    "credential_id" TEXT,
    "sealed" TEXT,

    CONSTRAINT "device_logins_pkey" PRIMARY KEY ("device_code_hash")
);

-- CreateTable
CREATE TABLE "notices" (
    "id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "api_version" TEXT,
    "livemode" BOOLEAN NOT NULL,
    "object_id" TEXT,
    "payload" JSONB NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "handled_at" TIMESTAMPTZ(3),
    "outcome" TEXT,
    "note" TEXT,
    "attempts" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "notices_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "purchases" (
    "id" TEXT NOT NULL,
    "customer_id" TEXT NOT NULL,
    "stripe_session_id" TEXT NOT NULL,
    "payment_intent_id" TEXT,
    "charge_id" TEXT,
    "invoice_id" TEXT,
    "livemode" BOOLEAN NOT NULL,
    "currency" TEXT NOT NULL,
    "amount_minor" INTEGER NOT NULL,
    "refunded_minor" INTEGER NOT NULL DEFAULT 0,
    "paid_at" TIMESTAMPTZ(3) NOT NULL,
    "refunded_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "purchases_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "purchase_lines" (
    "id" TEXT NOT NULL,
    "purchase_id" TEXT NOT NULL,
    "stripe_line_id" TEXT NOT NULL,
    "stripe_price_id" TEXT,
    "product_id" TEXT,
    "description" TEXT,
    "quantity" INTEGER NOT NULL,
    "amount_minor" INTEGER NOT NULL,

    CONSTRAINT "purchase_lines_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "refunds" (
    "id" TEXT NOT NULL,
    "stripe_refund_id" TEXT NOT NULL,
    "purchase_id" TEXT NOT NULL,
    "amount_minor" INTEGER NOT NULL,
    "status" TEXT NOT NULL,
    "license_ids" TEXT[],
    "reason" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "changed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "refunds_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "disputes" (
    "id" TEXT NOT NULL,
    "stripe_dispute_id" TEXT NOT NULL,
    "purchase_id" TEXT NOT NULL,
    "amount_minor" INTEGER NOT NULL,
    "status" TEXT NOT NULL,
    "opened_at" TIMESTAMPTZ(3) NOT NULL,
    "closed_at" TIMESTAMPTZ(3),

    CONSTRAINT "disputes_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "subscriptions" (
    "id" TEXT NOT NULL,
    "stripe_subscription_id" TEXT NOT NULL,
    "stripe_item_id" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "current_period_end" TIMESTAMPTZ(3),
    "cancel_at_period_end" BOOLEAN NOT NULL DEFAULT false,
    "changed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "subscriptions_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "audit_events_customer_id_at_id_idx" ON "audit_events"("customer_id", "at", "id");

-- CreateIndex
CREATE INDEX "audit_events_license_id_at_id_idx" ON "audit_events"("license_id", "at", "id");

-- CreateIndex
CREATE INDEX "audit_events_credential_id_at_id_idx" ON "audit_events"("credential_id", "at", "id");

-- CreateIndex
CREATE INDEX "audit_events_package_at_id_idx" ON "audit_events"("package", "at", "id");

-- CreateIndex
CREATE INDEX "audit_events_action_at_id_idx" ON "audit_events"("action", "at", "id");

-- CreateIndex
CREATE INDEX "audit_events_ip_at_id_idx" ON "audit_events"("ip", "at", "id");

-- CreateIndex
CREATE INDEX "audit_events_username_at_id_idx" ON "audit_events"("username", "at", "id");

-- CreateIndex
CREATE INDEX "audit_events_verdict_at_id_idx" ON "audit_events"("verdict", "at", "id");

-- CreateIndex
CREATE INDEX "audit_exports_customer_id_created_at_idx" ON "audit_exports"("customer_id", "created_at");

-- CreateIndex
CREATE UNIQUE INDEX "alerts_dedupe_key_key" ON "alerts"("dedupe_key");

-- CreateIndex
CREATE INDEX "alerts_answered_at_raised_at_idx" ON "alerts"("answered_at", "raised_at");

-- CreateIndex
CREATE UNIQUE INDEX "staff_tasks_dedupe_key_key" ON "staff_tasks"("dedupe_key");

-- CreateIndex
CREATE INDEX "staff_tasks_resolved_at_raised_at_idx" ON "staff_tasks"("resolved_at", "raised_at");

-- CreateIndex
CREATE UNIQUE INDEX "mails_dedupe_key_key" ON "mails"("dedupe_key");

-- CreateIndex
CREATE INDEX "mails_customer_id_created_at_idx" ON "mails"("customer_id", "created_at");

-- CreateIndex
CREATE INDEX "mails_sent_at_created_at_idx" ON "mails"("sent_at", "created_at");

-- CreateIndex
CREATE UNIQUE INDEX "customers_email_key" ON "customers"("email");

-- CreateIndex
CREATE UNIQUE INDEX "customers_stripe_customer_id_key" ON "customers"("stripe_customer_id");

-- CreateIndex
CREATE UNIQUE INDEX "users_email_key" ON "users"("email");

-- CreateIndex
CREATE INDEX "members_user_id_idx" ON "members"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "members_customer_id_user_id_key" ON "members"("customer_id", "user_id");

-- CreateIndex
CREATE UNIQUE INDEX "staff_user_id_key" ON "staff"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "invitations_token_hash_key" ON "invitations"("token_hash");

-- CreateIndex
CREATE INDEX "invitations_email_idx" ON "invitations"("email");

-- CreateIndex
CREATE UNIQUE INDEX "sessions_token_hash_key" ON "sessions"("token_hash");

-- CreateIndex
CREATE INDEX "sessions_user_id_idx" ON "sessions"("user_id");

-- CreateIndex
CREATE INDEX "sessions_expires_at_idx" ON "sessions"("expires_at");

-- CreateIndex
CREATE INDEX "sign_in_tokens_email_created_at_idx" ON "sign_in_tokens"("email", "created_at");

-- CreateIndex
CREATE INDEX "sign_in_tokens_ip_created_at_idx" ON "sign_in_tokens"("ip", "created_at");

-- CreateIndex
CREATE INDEX "sign_in_tokens_created_at_idx" ON "sign_in_tokens"("created_at");

-- CreateIndex
CREATE UNIQUE INDEX "products_slug_key" ON "products"("slug");

-- CreateIndex
CREATE UNIQUE INDEX "prices_stripe_price_id_key" ON "prices"("stripe_price_id");

-- CreateIndex
CREATE INDEX "prices_product_id_idx" ON "prices"("product_id");

-- CreateIndex
CREATE INDEX "product_packages_package_id_idx" ON "product_packages"("package_id");

-- CreateIndex
CREATE UNIQUE INDEX "packages_name_key" ON "packages"("name");

-- CreateIndex
CREATE INDEX "releases_archive_sha256_idx" ON "releases"("archive_sha256");

-- CreateIndex
CREATE UNIQUE INDEX "releases_package_id_version_normalized_key" ON "releases"("package_id", "version_normalized");

-- CreateIndex
CREATE INDEX "advisories_package_id_idx" ON "advisories"("package_id");

-- CreateIndex
CREATE INDEX "licenses_customer_id_idx" ON "licenses"("customer_id");

-- CreateIndex
CREATE INDEX "licenses_product_id_idx" ON "licenses"("product_id");

-- CreateIndex
CREATE INDEX "licenses_covered_until_idx" ON "licenses"("covered_until");

-- CreateIndex
CREATE INDEX "licenses_changed_at_idx" ON "licenses"("changed_at");

-- CreateIndex
CREATE UNIQUE INDEX "licenses_purchase_line_id_unit_key" ON "licenses"("purchase_line_id", "unit");

-- CreateIndex
CREATE UNIQUE INDEX "credentials_username_key" ON "credentials"("username");

-- CreateIndex
CREATE UNIQUE INDEX "credentials_replaces_id_key" ON "credentials"("replaces_id");

-- CreateIndex
CREATE INDEX "credentials_customer_id_idx" ON "credentials"("customer_id");

-- CreateIndex
CREATE INDEX "credentials_secret_lookup_idx" ON "credentials"("secret_lookup");

-- CreateIndex
CREATE INDEX "credentials_issued_at_idx" ON "credentials"("issued_at");

-- CreateIndex
CREATE INDEX "credentials_overlap_ends_at_idx" ON "credentials"("overlap_ends_at");

-- CreateIndex
CREATE INDEX "credentials_changed_at_idx" ON "credentials"("changed_at");

-- CreateIndex
CREATE INDEX "credential_licenses_license_id_idx" ON "credential_licenses"("license_id");

-- CreateIndex
CREATE UNIQUE INDEX "device_logins_user_code_key" ON "device_logins"("user_code");

-- CreateIndex
CREATE INDEX "device_logins_expires_at_idx" ON "device_logins"("expires_at");

-- CreateIndex
CREATE INDEX "notices_handled_at_received_at_idx" ON "notices"("handled_at", "received_at");

-- CreateIndex
CREATE INDEX "notices_object_id_idx" ON "notices"("object_id");

-- CreateIndex
CREATE UNIQUE INDEX "purchases_stripe_session_id_key" ON "purchases"("stripe_session_id");

-- CreateIndex
CREATE UNIQUE INDEX "purchases_payment_intent_id_key" ON "purchases"("payment_intent_id");

-- CreateIndex
CREATE UNIQUE INDEX "purchases_charge_id_key" ON "purchases"("charge_id");

-- CreateIndex
CREATE INDEX "purchases_customer_id_idx" ON "purchases"("customer_id");

-- CreateIndex
CREATE UNIQUE INDEX "purchase_lines_purchase_id_stripe_line_id_key" ON "purchase_lines"("purchase_id", "stripe_line_id");

-- CreateIndex
CREATE UNIQUE INDEX "refunds_stripe_refund_id_key" ON "refunds"("stripe_refund_id");

-- CreateIndex
CREATE INDEX "refunds_purchase_id_idx" ON "refunds"("purchase_id");

-- CreateIndex
CREATE UNIQUE INDEX "disputes_stripe_dispute_id_key" ON "disputes"("stripe_dispute_id");

-- CreateIndex
CREATE INDEX "disputes_purchase_id_idx" ON "disputes"("purchase_id");

-- CreateIndex
CREATE UNIQUE INDEX "subscriptions_stripe_item_id_key" ON "subscriptions"("stripe_item_id");

-- CreateIndex
CREATE INDEX "subscriptions_stripe_subscription_id_idx" ON "subscriptions"("stripe_subscription_id");

-- AddForeignKey
ALTER TABLE "members" ADD CONSTRAINT "members_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "members" ADD CONSTRAINT "members_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "staff" ADD CONSTRAINT "staff_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "prices" ADD CONSTRAINT "prices_product_id_fkey" FOREIGN KEY ("product_id") REFERENCES "products"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "product_packages" ADD CONSTRAINT "product_packages_product_id_fkey" FOREIGN KEY ("product_id") REFERENCES "products"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "product_packages" ADD CONSTRAINT "product_packages_package_id_fkey" FOREIGN KEY ("package_id") REFERENCES "packages"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "releases" ADD CONSTRAINT "releases_package_id_fkey" FOREIGN KEY ("package_id") REFERENCES "packages"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sources" ADD CONSTRAINT "sources_package_id_fkey" FOREIGN KEY ("package_id") REFERENCES "packages"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "licenses" ADD CONSTRAINT "licenses_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "licenses" ADD CONSTRAINT "licenses_product_id_fkey" FOREIGN KEY ("product_id") REFERENCES "products"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "licenses" ADD CONSTRAINT "licenses_purchase_line_id_fkey" FOREIGN KEY ("purchase_line_id") REFERENCES "purchase_lines"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "licenses" ADD CONSTRAINT "licenses_subscription_id_fkey" FOREIGN KEY ("subscription_id") REFERENCES "subscriptions"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_replaces_id_fkey" FOREIGN KEY ("replaces_id") REFERENCES "credentials"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "credential_licenses" ADD CONSTRAINT "credential_licenses_credential_id_fkey" FOREIGN KEY ("credential_id") REFERENCES "credentials"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "credential_licenses" ADD CONSTRAINT "credential_licenses_license_id_fkey" FOREIGN KEY ("license_id") REFERENCES "licenses"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "purchases" ADD CONSTRAINT "purchases_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "purchase_lines" ADD CONSTRAINT "purchase_lines_purchase_id_fkey" FOREIGN KEY ("purchase_id") REFERENCES "purchases"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "refunds" ADD CONSTRAINT "refunds_purchase_id_fkey" FOREIGN KEY ("purchase_id") REFERENCES "purchases"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "disputes" ADD CONSTRAINT "disputes_purchase_id_fkey" FOREIGN KEY ("purchase_id") REFERENCES "purchases"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Makes the partitions and the chain row of the month of an instant, unless they exist. Called before every insert into
-- audit_events: one catalogue look-up when there is nothing to do.
CREATE FUNCTION "audit_ensure_month"("instant" TIMESTAMPTZ) RETURNS VOID LANGUAGE plpgsql AS $$
DECLARE
  "first" TIMESTAMPTZ := date_trunc('month', "instant" AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
  "next" TIMESTAMPTZ := (date_trunc('month', "instant" AT TIME ZONE 'UTC') + INTERVAL '1 month') AT TIME ZONE 'UTC';
  "month" TEXT := to_char("instant" AT TIME ZONE 'UTC', 'YYYY_MM');
  "events" TEXT := 'events_' || "month";
  "seals" TEXT := 'seals_' || "month";
BEGIN
  IF to_regclass('audit.' || "events") IS NOT NULL THEN
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('audit-months', 0));
  IF to_regclass('audit.' || "events") IS NOT NULL THEN
    RETURN;
  END IF;
  EXECUTE format('CREATE TABLE audit.%I (LIKE public.audit_seals INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', "seals");
  EXECUTE format('ALTER TABLE public.audit_seals ATTACH PARTITION audit.%I FOR VALUES IN (%L)', "seals", "first");
  EXECUTE format('CREATE TABLE audit.%I (LIKE public.audit_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', "events");
  EXECUTE format('ALTER TABLE public.audit_events ATTACH PARTITION audit.%I FOR VALUES FROM (%L) TO (%L)', "events", "first", "next");
  -- Few events have a reason, so this costs an install nothing.
  EXECUTE format('CREATE INDEX %I ON audit.%I ("reason", "at", "id") WHERE "reason" IS NOT NULL', "events" || '_reason', "events");
  INSERT INTO public.audit_months ("month") VALUES ("first") ON CONFLICT DO NOTHING;
END
$$;

-- Whatever enters audit_events waits for the sealer, late arrivals included; the rows themselves are never updated.
CREATE FUNCTION "audit_await_seal"() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.audit_unsealed ("at", "id", "proof") SELECT "at", "id", "proof" FROM "added" ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;

CREATE TRIGGER "audit_events_await_seal" AFTER INSERT ON "audit_events"
  REFERENCING NEW TABLE AS "added" FOR EACH STATEMENT EXECUTE FUNCTION "audit_await_seal"();
