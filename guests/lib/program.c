/* Nothing: the tool chain wants the same first source in every program. */
