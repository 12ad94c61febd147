namespace LocalPlus.Client.Profiles;

/// <summary>Where the API is and as whom one comes: a line of `profile list`.</summary>
internal sealed record Profile(string Name, string Url)
{
    /// <summary>The OpenID provider at which people sign in.</summary>
    public string? Issuer { get; init; }

    public string ClientId { get; init; } = "cli";

    public string? ApiKey { get; init; }

    public SignIn? SignIn { get; init; }

    /// <summary>The local stack's: with this key, tokens of its operators are made.</summary>
    public string? OperatorKeyFile { get; init; }

    public bool IsLocal => Name == LocalProfile.Name;
}

/// <summary>Somebody's tokens.</summary>
internal sealed record SignIn(string AccessToken, string? RefreshToken, DateTimeOffset ExpiresAt);

/// <summary>The profile file as a whole.</summary>
/// <param name="Current">The one that `profile use` named.</param>
internal sealed record ProfileSet(string? Current, IReadOnlyList<Profile> Profiles)
{
    public static readonly ProfileSet Empty = new(null, []);

    public Profile? Find(string name) => Profiles.FirstOrDefault(p => p.Name == name);

    public ProfileSet With(Profile profile) =>
        this with
        {
            Profiles = [.. Profiles.Where(p => p.Name != profile.Name).Append(profile).OrderBy(p => p.Name)],
        };

    public ProfileSet Without(string name) =>
        new(Current == name ? null : Current, [.. Profiles.Where(p => p.Name != name)]);
}
