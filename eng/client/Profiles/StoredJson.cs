using System.Text.Json.Serialization;

namespace LocalPlus.Client.Profiles;

/// <summary>What is kept in files, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true
)]
[JsonSerializable(typeof(ProfileSet))]
[JsonSerializable(typeof(LocalStack))]
[JsonSerializable(typeof(SignIn))]
internal sealed partial class StoredJson : JsonSerializerContext;
