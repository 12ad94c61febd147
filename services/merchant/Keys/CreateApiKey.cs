using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Keys;

/// <summary>
/// POST /v1/api_keys: a further key of the calling merchant, with some or all of the calling key's scopes, for as
/// long as the calling key lives at most (and as long unless it says less), and from where it may be used. Its text
/// is in this one answer; for a day a repeat with the same calling key gets it again, and any other repeat the answer
/// without it. Refusals: invalid_request, scope_missing, unauthenticated, too_many_api_keys.
/// </summary>
internal static class CreateApiKey
{
    /// <param name="AllowedNetworks">As CIDR; left out: those of the calling key.</param>
    internal sealed record Request(
        string Name,
        IReadOnlyList<string> Scopes,
        DateTimeOffset? ExpiresAt = null,
        IReadOnlyList<string>? AllowedNetworks = null
    );

    public static IEndpointRouteBuilder MapCreateApiKey(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/api_keys", HandleAsync)
            .RequireScope("api_keys:write")
            .OpenTo(MerchantStatus.Draft, MerchantStatus.Review)
            .RequireIdempotencyKey()
            .Refuses(Faults.TooManyApiKeys)
            .Audit("api_key.create")
            .WithName(nameof(CreateApiKey))
            .Produces<ApiKeyView>(StatusCodes.Status201Created);
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        IdempotentRequests idempotent,
        ApiKeys keys,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        Check(request, time.GetUtcNow());
        var caller = http.GetMerchant();
        return idempotent.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var ends = await keys.EndOfCallerAsync(db, caller);
                RequireHeld(caller, request.Scopes);
                if (request.ExpiresAt > ends)
                {
                    throw new FaultException(
                        CommonFaults.InvalidRequest,
                        "The key would outlive the one that makes it.",
                        new FieldError("/expires_at", "after_callers")
                    );
                }

                var networks = request.AllowedNetworks is { } named ? Networks.Parse(named) : caller.Networks;
                if (!Networks.AreWithin(networks, caller.Networks))
                {
                    throw new FaultException(
                        CommonFaults.InvalidRequest,
                        "The key could be used from where the one that makes it can not.",
                        new FieldError("/allowed_networks", "outside_callers")
                    );
                }

                var scopes = request.Scopes.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
                return Created(
                    await keys.AddAsync(
                        db,
                        new(caller.MerchantId, caller.Live, request.Name.Trim(), scopes, request.ExpiresAt ?? ends)
                        {
                            AllowedNetworks = [.. networks.Select(network => network.ToString())],
                        }
                    )
                );
            },
            cancel
        );
    }

    /// <summary>A key can not make a key that may do more than itself.</summary>
    internal static void RequireHeld(MerchantIdentity caller, IEnumerable<string> scopes)
    {
        if (scopes.FirstOrDefault(scope => !caller.Scopes.Contains(scope)) is { } missing)
        {
            throw new FaultException(CommonFaults.ScopeMissing, $"The calling key does not carry {missing} itself.");
        }
    }

    internal static Answer Created(ApiKeyView key) =>
        Answer.Created($"/v1/api_keys/{key.Id}", key).StoredAs(key with { Key = null });

    private static void Check(Request request, DateTimeOffset now)
    {
        var checks = new FieldChecks()
            .Name(request.Name)
            .Require(request.Scopes.Count > 0, "/scopes", "empty")
            .Require(request.Scopes.Count <= Scopes.All.Count, "/scopes", "too_long")
            .Require(request.ExpiresAt is null || request.ExpiresAt > now, "/expires_at", "in_the_past")
            .AllowedNetworks(request.AllowedNetworks);
        for (var i = 0; i < Math.Min(request.Scopes.Count, Scopes.All.Count); i++)
        {
            checks.Require(Scopes.IsKnown(request.Scopes[i]), $"/scopes/{i}", "unknown_scope");
        }

        checks.ThrowIfAny();
    }
}
