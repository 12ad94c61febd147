using System.Collections.Frozen;
using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;

namespace LocalPlus.Hosting;

/// <summary>
/// Where the provider's tokens say what services ask of them. Unless it is told otherwise: in <c>Authorization</c>, in
/// <c>role</c> and in <c>auth_time</c>. A proxy that signs people in, as Cloudflare Access does, sends its token in a
/// header of its own, what its provider says of people beneath <c>custom</c>, and the time of the sign-in as
/// <c>iat</c>.
/// </summary>
/// <param name="Header">A header that has the token where Authorization has none; null: there is no such.</param>
/// <param name="RolePath">The claim; dots lead into objects.</param>
/// <param name="SignInClaim">When the person signed in, in seconds since 1970.</param>
/// <param name="Roles">By address, those of people whose token says none.</param>
internal sealed record OperatorClaims(
    string? Header,
    string RolePath,
    string SignInClaim,
    FrozenDictionary<string, string> Roles
)
{
    public const string HeaderVariable = "LP_OIDC_HEADER";
    public const string RolePathVariable = "LP_OIDC_ROLE_CLAIM";
    public const string SignInVariable = "LP_OIDC_AUTH_TIME_CLAIM";
    public const string RolesVariable = "LP_OIDC_ROLES";
    public const string Role = "role";
    public const string SignedInAt = "auth_time";

    /// <summary>Throws for roles that are none.</summary>
    public static OperatorClaims From(IConfiguration configuration) =>
        new(
            Named(configuration, HeaderVariable),
            Named(configuration, RolePathVariable) ?? Role,
            Named(configuration, SignInVariable) ?? SignedInAt,
            (configuration[RolesVariable] ?? "")
                .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(RoleOf)
                .ToFrozenDictionary(StringComparer.OrdinalIgnoreCase)
        );

    /// <summary>Takes the token from the header, and has the claims say what services ask of them.</summary>
    public JwtBearerEvents Events() =>
        new()
        {
            OnMessageReceived = message =>
            {
                if (Header is not null && StringValues.IsNullOrEmpty(message.Request.Headers.Authorization))
                {
                    message.Token = message.Request.Headers[Header];
                }

                return Task.CompletedTask;
            },
            OnTokenValidated = validated =>
            {
                Translate((ClaimsIdentity)validated.Principal!.Identity!);
                return Task.CompletedTask;
            },
        };

    /// <summary>What is not where it belongs says nothing: a role counts in one place.</summary>
    internal void Translate(ClaimsIdentity token)
    {
        var said = At(token, RolePath);
        string[] roles = said.Length > 0 || OfAddress(token) is not { } given ? said : [given];
        var signedInAt = token.FindFirst(SignInClaim)?.Value;
        Say(token, Role, roles);
        Say(token, SignedInAt, signedInAt is null ? [] : [signedInAt]);
    }

    private static string? Named(IConfiguration configuration, string variable) =>
        configuration[variable] is { Length: > 0 } name ? name : null;

    private static KeyValuePair<string, string> RoleOf(string pair) =>
        pair.Split('=', StringSplitOptions.TrimEntries) is [{ Length: > 0 } address, var role]
        && Authentication.Roles.Contains(role)
            ? new(address, role)
            : throw new InvalidOperationException(
                $"{RolesVariable} is address=role, with commas between, role one of "
                    + $"{string.Join(", ", Authentication.Roles)}; {pair} is not."
            );

    private static void Say(ClaimsIdentity token, string type, string[] values)
    {
        foreach (var said in token.FindAll(type).ToList())
        {
            token.RemoveClaim(said);
        }

        token.AddClaims(values.Select(value => new Claim(type, value)));
    }

    private static string[] At(ClaimsIdentity token, string path)
    {
        var names = path.Split('.');
        string[] values = [.. token.FindAll(names[0]).Select(claim => claim.Value)];
        return names.Length == 1 ? values : [.. values.SelectMany(value => Inside(value, names[1..]))];
    }

    private static IEnumerable<string> Inside(string json, string[] names)
    {
        JsonElement at;
        try
        {
            at = JsonSerializer.Deserialize<JsonElement>(json);
        }
        catch (JsonException)
        {
            // A claim that is no object has nothing inside.
            return [];
        }

        foreach (var name in names)
        {
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(name, out at))
            {
                return [];
            }
        }

        return at.ValueKind switch
        {
            JsonValueKind.String => [at.GetString()!],
            JsonValueKind.Array => at.EnumerateArray()
                .Where(item => item.ValueKind == JsonValueKind.String)
                .Select(item => item.GetString()!),
            _ => [],
        };
    }

    /// <summary>An address that its provider does not vouch for is nobody's.</summary>
    private string? OfAddress(ClaimsIdentity token) =>
        token.FindFirst("email")?.Value is { } address
        && !token.HasClaim(claim =>
            claim.Type == "email_verified" && !claim.Value.Equals("true", StringComparison.OrdinalIgnoreCase)
        )
            ? Roles.GetValueOrDefault(address)
            : null;
}
