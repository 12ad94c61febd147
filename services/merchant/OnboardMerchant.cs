using System.Diagnostics;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Merchant.Keys;

namespace LocalPlus.Merchant;

/// <summary>
/// POST /v1/merchants, administrators only: a new merchant and its first API key, which carries every scope and whose
/// text is in this one answer; for a day a repeat by the same administrator gets it again. Publishes
/// merchant.onboarded.v1. Refusals: invalid_request.
/// </summary>
internal static class OnboardMerchant
{
    private const string Topic = "merchant.onboarded.v1";
    private const string FirstKeyName = "First key";

    /// <param name="Country">ISO 3166-1 alpha-2.</param>
    /// <param name="Mode">test (default) or live; decides the kind of every key this merchant will have.</param>
    internal sealed record Request(
        string Name,
        string Country,
        Currency Currency,
        string ContactEmail,
        string? Locale = null,
        string? Mode = null
    );

    internal sealed record Onboarded(string Mode, string Country, Currency Currency, string Locale);

    public static IEndpointRouteBuilder MapOnboardMerchant(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/merchants", HandleAsync)
            .RequireIdempotencyKey()
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
        return idempotent.ExecuteAsync(http, request, db => AddAsync(db, request, keys, time, log), cancel);
    }

    private static async Task<Answer> AddAsync(
        DbSession db,
        Request request,
        ApiKeys keys,
        TimeProvider time,
        ILogger log
    )
    {
        var merchant = new MerchantView(
            MerchantId.New(time),
            "merchant",
            request.Name.Trim(),
            request.Mode ?? Modes.Test,
            request.Country,
            request.Currency,
            request.Locale ?? Locales.Of(request.Country),
            EmailAddress.TryParse(request.ContactEmail, out var address) ? address : throw new UnreachableException(),
            time.GetUtcNow()
        );
        await db.ExecuteAsync(
            Sql.Insert,
            new
            {
                MerchantId = merchant.Id,
                merchant.Name,
                merchant.Mode,
                merchant.Country,
                Currency = merchant.Currency.Code,
                merchant.Locale,
                merchant.ContactEmail,
                merchant.CreatedAt,
            }
        );
        var key = await keys.AddAsync(
            db,
            new(merchant.Id, merchant.Mode == Modes.Live, FirstKeyName, Scopes.All, ExpiresAt: null)
        );
        await db.PublishAsync(
            Topic,
            "merchant.onboarded",
            merchant.Id.ToString(),
            sequence: 1,
            merchant.Id,
            new Onboarded(merchant.Mode, merchant.Country, merchant.Currency, merchant.Locale)
        );
        log.MerchantOnboarded(merchant.Id);
        return Answer
            .Created($"/v1/merchants/{merchant.Id}", merchant with { ApiKey = key }, version: 1)
            .StoredAs(merchant with { ApiKey = key with { Key = null } });
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
            .ThrowIfAny();

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO merchants (merchant_id, name, mode, country, currency, locale, contact_email, version,
                   created_at)
            VALUES (@MerchantId, @Name, @Mode, @Country, @Currency, @Locale, @ContactEmail, 1, @CreatedAt)
            """;
    }
}
