namespace LocalPlus.Kernel;

/// <summary>A ledger account.</summary>
public readonly record struct AccountId(Guid Value) : IId<AccountId>
{
    public static string Prefix => "acc";

    public static AccountId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out AccountId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>A merchant's API key.</summary>
public readonly record struct ApiKeyId(Guid Value) : IId<ApiKeyId>
{
    public static string Prefix => "key";

    public static ApiKeyId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out ApiKeyId id) => Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>A signed state of the ledger's log.</summary>
public readonly record struct CheckpointId(Guid Value) : IId<CheckpointId>
{
    public static string Prefix => "chk";

    public static CheckpointId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out CheckpointId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>A holder; the only pseudonym of a person outside the wallet.</summary>
public readonly record struct CustomerId(Guid Value) : IId<CustomerId>
{
    public static string Prefix => "cus";

    public static CustomerId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out CustomerId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>One side of a posting.</summary>
public readonly record struct EntryId(Guid Value) : IId<EntryId>
{
    public static string Prefix => "ent";

    public static EntryId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out EntryId id) => Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>A published event.</summary>
public readonly record struct EventId(Guid Value) : IId<EventId>
{
    public static string Prefix => "evt";

    public static EventId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out EventId id) => Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>A gift card.</summary>
public readonly record struct GiftCardId(Guid Value) : IId<GiftCardId>
{
    public static string Prefix => "gc";

    public static GiftCardId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out GiftCardId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>A reservation of value.</summary>
public readonly record struct HoldId(Guid Value) : IId<HoldId>
{
    public static string Prefix => "hld";

    public static HoldId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out HoldId id) => Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>A bulk job.</summary>
public readonly record struct JobId(Guid Value) : IId<JobId>
{
    public static string Prefix => "job";

    public static JobId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out JobId id) => Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>A merchant's place of business.</summary>
public readonly record struct LocationId(Guid Value) : IId<LocationId>
{
    public static string Prefix => "loc";

    public static LocationId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out LocationId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>Value with one provenance and expiry.</summary>
public readonly record struct LotId(Guid Value) : IId<LotId>
{
    public static string Prefix => "lot";

    public static LotId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out LotId id) => Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>A member of a loyalty programme.</summary>
public readonly record struct MemberId(Guid Value) : IId<MemberId>
{
    public static string Prefix => "mem";

    public static MemberId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out MemberId id) => Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>A merchant, the tenant of every row.</summary>
public readonly record struct MerchantId(Guid Value) : IId<MerchantId>
{
    public static string Prefix => "mrc";

    public static MerchantId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out MerchantId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>A message to a person.</summary>
public readonly record struct NotificationId(Guid Value) : IId<NotificationId>
{
    public static string Prefix => "ntf";

    public static NotificationId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out NotificationId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>A gift card or loyalty programme.</summary>
public readonly record struct ProgramId(Guid Value) : IId<ProgramId>
{
    public static string Prefix => "prg";

    public static ProgramId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out ProgramId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>A redemption; also the id of its workflow run.</summary>
public readonly record struct RedemptionId(Guid Value) : IId<RedemptionId>
{
    public static string Prefix => "rdm";

    public static RedemptionId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out RedemptionId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>A refund of a redemption.</summary>
public readonly record struct RefundId(Guid Value) : IId<RefundId>
{
    public static string Prefix => "rfd";

    public static RefundId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out RefundId id) => Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>A till.</summary>
public readonly record struct TerminalId(Guid Value) : IId<TerminalId>
{
    public static string Prefix => "trm";

    public static TerminalId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out TerminalId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>A ledger transaction.</summary>
public readonly record struct TransactionId(Guid Value) : IId<TransactionId>
{
    public static string Prefix => "txn";

    public static TransactionId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out TransactionId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>A customer's wallet.</summary>
public readonly record struct WalletId(Guid Value) : IId<WalletId>
{
    public static string Prefix => "wal";

    public static WalletId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out WalletId id) => Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>A webhook endpoint.</summary>
public readonly record struct WebhookId(Guid Value) : IId<WebhookId>
{
    public static string Prefix => "whk";

    public static WebhookId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out WebhookId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}
