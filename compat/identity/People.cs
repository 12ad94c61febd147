using System.Collections.Immutable;
using System.Security.Claims;
using OpenIddict.Abstractions;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace LocalPlus.Identity;

/// <summary>Somebody who can sign in.</summary>
/// <param name="Subject">For ever the same; teams of merchants name people by it.</param>
/// <param name="Role">An operator's: viewer, operator or admin; null for a merchant's people, whose team says
/// it.</param>
internal sealed record Person(string Subject, string Name, string What, string? Role)
{
    public string Email => $"{Subject}@people.localplus.example";
}

/// <summary>The people of a developer's machine: each role of the platform, and of a merchant's team, once.</summary>
internal static class People
{
    public static readonly ImmutableArray<Person> All =
    [
        new("vera", "Vera Viewer", "sees runs, queues and books", "viewer"),
        new("otto", "Otto Operator", "retries, confirms and cancels runs", "operator"),
        new("ada", "Ada Admin", "may do everything, approves what needs two", "admin"),
        new("olga", "Olga Owner", "owns a shop", null),
        new("mara", "Mara Manager", "runs it", null),
        new("carl", "Carl Cashier", "stands at its till", null),
        new("anna", "Anna Accountant", "reads its figures", null),
    ];

    public static Person? Find(string? subject) => All.FirstOrDefault(person => person.Subject == subject);

    /// <summary>What a token says about somebody.</summary>
    /// <param name="at">When they signed in: what is dangerous asks for it to be a moment ago.</param>
    public static ClaimsPrincipal Principal(Person person, DateTimeOffset at, IEnumerable<string> scopes)
    {
        var identity = new ClaimsIdentity("local", Claims.Name, Claims.Role);
        identity
            .SetClaim(Claims.Subject, person.Subject)
            .SetClaim(Claims.Name, person.Name)
            .SetClaim(Claims.Email, person.Email)
            .SetClaim(Claims.Role, person.Role)
            .SetClaim(Claims.AuthenticationTime, at.ToUnixTimeSeconds())
            .SetScopes(scopes)
            .SetResources(Clients.Audience)
            .SetDestinations(_ => [Destinations.AccessToken, Destinations.IdentityToken]);
        return new(identity);
    }
}
