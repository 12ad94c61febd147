using System.Diagnostics;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Merchant.Keys;

namespace LocalPlus.Merchant;

/// <summary>
/// POST /v1/merchants, administrators only: a new merchant and its first API key, which carries what a shop needs and
/// whose text is in this one answer; for a day a repeat by the same administrator gets it again. It is active at
/// once, which merchant.onboarded.v1 says, unless it is to begin as a draft (ADR 0022). Refusals: invalid_request.
/// </summary>
internal static class OnboardMerchant
{
    private const string FirstKeyName = "First key";

    /// <param name="Country">ISO 3166-1 alpha-2.</param>
    /// <param name="Status">active (default): an administrator answers for it; draft: it is reviewed first.</param>
    /// <param name="Bookkeeping">The first key may also post to the ledger, and make keys that may.</param>
    /// <param name="Mode">test (default) or live; decides the kind of every key this merchant will have.</param>
    internal sealed record Request(
        string Name,
        string Country,
        Currency Currency,
        string ContactEmail,
        string? Locale = null,
        string? Mode = null,
        MerchantStatus Status = MerchantStatus.Active,
        bool Bookkeeping = false
    );

    public static IEndpointRouteBuilder MapOnboardMerchant(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/merchants", HandleAsync)
            .Limited(RateLimit.Onboarding)
            .RequireIdempotencyKey()
            .Audit("merchant.onboard")
            .WithName(nameof(OnboardMerchant))
            .Produces<MerchantView>(StatusCodes.Status201Created);
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        IdempotentRequests idempotent,
        ApiKeys keys,
        TimeProvider time,
        ILogger<ApiKeys> log,
        CancellationToken cancel
    )
    {
        Check(request);
        var actor = Actor.OperatorOf(http);
        return idempotent.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var merchant = NewMerchant(request, time);
                await db.ExecuteAsync(Sql.Insert, merchant);
                AuditNote.Current?.Of(merchant.MerchantId);
                var scopes = request.Bookkeeping ? Scopes.All : Scopes.Shop;
                var key = await keys.AddAsync(
                    db,
                    new(merchant.MerchantId, merchant.Mode == Modes.Live, FirstKeyName, scopes, ExpiresAt: null)
                );
                await MerchantVersions.AddAsync(db, merchant, new("onboarded", actor), log);
                var view = merchant.ToView();
                return Answer
                    .Created($"/v1/merchants/{view.Id}", view with { ApiKey = key }, merchant.Version)
                    .StoredAs(view with { ApiKey = key with { Key = null } });
            },
            cancel
        );
    }

    private static MerchantRow NewMerchant(Request request, TimeProvider time)
    {
        var now = time.GetUtcNow();
        return new(
            MerchantId.New(time),
            request.Name.Trim(),
            request.Mode ?? Modes.Test,
            request.Country,
            request.Currency.Code,
            request.Locale ?? Locales.Of(request.Country),
            EmailAddress.TryParse(request.ContactEmail, out var address) ? address : throw new UnreachableException(),
            Statuses.Text(request.Status),
            StatusReason: null,
            request.Status == MerchantStatus.Active ? now : null,
            Details: "{}",
            IbanMasked: null,
            Settings: "{}",
            Version: 1,
            now
        );
    }

    private static void Check(Request request) =>
        new FieldChecks()
            .Name(request.Name)
            .Require(
                request.Country is { Length: 2 } && request.Country.All(char.IsAsciiLetterUpper),
                "/country",
                "invalid"
            )
            .Email(request.ContactEmail, "/contact_email")
            .Require(request.Locale is null or Locales.English or Locales.French, "/locale", "invalid")
            .Require(request.Mode is null or Modes.Test or Modes.Live, "/mode", "invalid")
            .Require(request.Status is MerchantStatus.Active or MerchantStatus.Draft, "/status", "invalid")
            .ThrowIfAny();

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO merchants (merchant_id, name, mode, country, currency, locale, contact_email, status,
                   activated_at, version, created_at)
            VALUES (@MerchantId, @Name, @Mode, @Country, @Currency, @Locale, @ContactEmail, @Status,
                   @ActivatedAt, @Version, @CreatedAt)
            """;
    }
}
