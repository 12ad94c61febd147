namespace LocalPlus.Client.Profiles;

/// <summary>$XDG_CONFIG_HOME/localplus/profiles.json, in ~/.config when nothing is said; mode 0600.</summary>
internal static class ProfileFile
{
    private const string ProfileVariable = "LOCALPLUS_PROFILE";

    public static string Location =>
        Path.Combine(
            Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } home
                ? home
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config"),
            "localplus",
            "profiles.json"
        );

    public static ProfileSet Read() => SecretFile.Read(Location, StoredJson.Default.ProfileSet) ?? ProfileSet.Empty;

    public static void Write(ProfileSet set) => SecretFile.Write(Location, set, StoredJson.Default.ProfileSet);

    /// <summary>
    /// The one that is named by the option or LOCALPLUS_PROFILE, else by `profile use`, else the local stack's, else
    /// the only one there is. Null when there is none.
    /// </summary>
    public static Profile? Choose(string? named)
    {
        var set = Read();
        var name =
            named ?? (Environment.GetEnvironmentVariable(ProfileVariable) is { Length: > 0 } said ? said : set.Current);
        if (name is null)
        {
            return LocalProfile.Find() ?? (set.Profiles is [var only] ? only : null);
        }

        return (name == LocalProfile.Name ? LocalProfile.Find() : set.Find(name))
            ?? throw new CliFailure(
                ExitCodes.NotFound,
                $"there is no profile '{name}'",
                name == LocalProfile.Name ? "./localplus up" : $"{Shell.Self} profile list"
            );
    }

    /// <summary>Remembers a sign-in; null signs out.</summary>
    public static void Keep(Profile profile, SignIn? signIn)
    {
        if (profile.IsLocal)
        {
            LocalProfile.Keep(signIn);
            return;
        }

        Write(Read().With(profile with { SignIn = signIn }));
    }
}
